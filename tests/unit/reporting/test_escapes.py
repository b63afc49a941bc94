"""Names of users change nothing but the text they are."""

import pytest

from seqbench.reporting.page.escapes import latex, markdown

CASES = {
    "a command": (
        r"\input{/etc/passwd}",
        r"\textbackslash{}input\{/etc/passwd\}",
        r"\\input\{/etc/passwd\}",
    ),
    "every mark of LaTeX": (
        "$&#%_~^",
        r"\$\&\#\%\_\textasciitilde{}\textasciicircum{}",
        r"\$\&\#%\_\~^",
    ),
    "a column": ("a|b", r"a\textbar{}b", r"a\|b"),
    "a tag": ("<b>", r"\textless{}b\textgreater{}", r"\<b\>"),
    "a link": ("[x](y)", "{[}x](y)", r"\[x\](y)"),
    "emphasis": (
        "**x** `y`",
        r"{*}{*}x{*}{*} \textasciigrave{}y\textasciigrave{}",
        r"\*\*x\*\* \`y\`",
    ),
    "dashes": ("a--b", "a{-}{-}b", "a--b"),
    "a line's end": ("a\nb\r\nc", "a b  c", "a b  c"),
    "a mark of direction": ("a\u202eb", r"a\textbackslash{}u202eb", r"a\\u202eb"),
    "a bell": ("a\x07b", r"a\textbackslash{}x07b", r"a\\x07b"),
    "another script": ("שלום", "שלום", "שלום"),
    "our own numbers": (
        "\N{MINUS SIGN}1\u202f078 ± 0.5",
        r"$-$1\,078 $\pm$ 0.5",
        "\N{MINUS SIGN}1\u202f078 ± 0.5",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_text_stands_for_itself(case):
    text, in_latex, in_markdown = CASES[case]

    assert latex(text) == in_latex
    assert markdown(text) == in_markdown
