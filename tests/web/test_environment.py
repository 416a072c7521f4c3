from tianti.web.environment import code


def test_backticks_are_code_and_nothing_else_is_markup():
    assert code("run `tianti run` <b>now</b>") == "run <code>tianti run</code> &lt;b&gt;now&lt;/b&gt;"
    assert code("`<i>`") == "<code>&lt;i&gt;</code>"
    assert code("{0} no code {") == "{0} no code {"
