from tianti.web.environment import broken, code


def test_backticks_are_code_and_nothing_else_is_markup():
    assert code("run `tianti run` <b>now</b>") == "run <code>tianti run</code> &lt;b&gt;now&lt;/b&gt;"
    assert code("`<i>`") == "<code>&lt;i&gt;</code>"
    assert code("{0} no code {") == "{0} no code {"


def test_names_may_be_broken_behind_what_divides_them_and_stay_text():
    assert broken("nano/qa(lang=zh)") == "nano/<wbr>qa<wbr>(lang=zh)"
    assert broken("lm_eval::<b>") == "lm_<wbr>eval::<wbr>&lt;b&gt;"
    assert broken("few-shot v0.3") == "few-shot v0.3"
    assert broken("settings.lr") == "settings.<wbr>lr"
    assert broken("(x)/") == "(x)/"
