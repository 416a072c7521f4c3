import gzip

from hypothesis import given
from hypothesis import strategies as st

from tianti.web.cache import Cache, Rendered


def test_a_text_is_encoded_compressed_and_named():
    one, same, other = (Rendered.of(text, "text/html") for text in ("天梯 <b>", "天梯 <b>", "x"))
    assert one.body.decode() == "天梯 <b>"
    assert gzip.decompress(one.compressed) == one.body
    assert one == same
    assert one.tag != other.tag
    assert one.tag.startswith('W/"')


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 60)), max_size=40))
def test_it_never_holds_more_than_it_may_and_what_it_holds_is_the_newest(puts):
    most = 3 * Rendered.of("", "text/plain").size + 90
    cache, newest = Cache(most), {}
    for address, length in puts:
        newest[address] = Rendered.of(address * length, "text/plain")
        cache.put(address, newest[address])
        assert cache.get(address) == newest[address]
    kept = [found for found in map(cache.get, "abcdef") if found]
    assert sum(each.size for each in kept) <= most
    assert all(cache.get(each) in (None, newest.get(each)) for each in "abcdef")


def test_what_was_asked_for_longest_ago_goes_first():
    size = Rendered.of("aa", "text/plain").size
    cache = Cache(2 * size)
    for text in ("aa", "bb"):
        cache.put(text, Rendered.of(text, "text/plain"))
    assert cache.get("aa")
    cache.put("cc", Rendered.of("cc", "text/plain"))
    assert [bool(cache.get(text)) for text in ("aa", "bb", "cc")] == [True, False, True]
    cache.put("large", Rendered.of(str(list(range(999))), "text/plain"))
    assert cache.get("large") is None
    assert cache.get("aa")
