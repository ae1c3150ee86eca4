"""Texts that try to be more than text."""

from hypothesis import strategies as st

PIECES = [
    "|", "\\|", "`", "```", "~~~", "\n", "\r\n", "\n\n", "\n```\n", "# ", "> ", "- ", "1. ", "+ ", "---", "===", "    ",
    "<b>", "</details>", "</summary>", "</td></tr></table>", "<script>alert(1)</script>", "<img src=x>", "<!--", "-->",
    "--!>", "<!-- mlci:other -->", "<a href='//e.vil'>", "<https://e.vil>", "<a@e.vil>", "https://e.vil/x", "www.e.vil",
    "e.vil", "ftp://e.vil", "mailto:a@e.vil", "xmpp:a@e.vil", "a@e.vil", "@octocat", "@org/team", "#1", "GH-1", "o/r#1",
    "deadbeef", "0123456789abcdef0123456789abcdef01234567", "[l](//e.vil)", "![i](//e.vil)", "[l][r]", "[r]: //e.vil",
    "[^1]", "[x] ", "*a*", "**b**", "_c_", "~~d~~", "$x$", "$$y$$", "$`z`$", ":tada:", "&lt;b&gt;", "&#64;octocat",
    "&", "\\", "\\\\", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2028", "\x1b[31m", "\x1b]8;;http://e.vil\x07",
    "\x00", "\x07", "\x85", "\x9b2J", "[bold red]", "[/]", "[link=http://e.vil]", "{{ 7 * 7 }}", "{% raw %}", "'", '"',
    "url(#a)", "javascript:alert(1)", "on", " ", "a", "ß", "中", "é", "😀", "z\u0301\u0301\u0301\u0301\u0301\u0301",
]  # fmt: skip

TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=8).map("".join).filter(str.strip)
