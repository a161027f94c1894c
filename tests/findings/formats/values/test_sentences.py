from __future__ import annotations

import pytest

from findings.formats.values.sentences import advice_in, advice_line, is_sentence, plain, title_from


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Semgrep Finding: py.lang.eval", "py.lang.eval"),
        ("secretlint rule(preset > @secretlint/rule-aws) error", "@secretlint/rule-aws"),
        ("{library} is vulnerable to {problem}", ""),
        ("The call of {0} is dangerous", "r1"),
        ("%(name)s is deprecated", ""),
        ("(?i)aws (A3T[A-Z0-9]|AKIA)[A-Z0-9]{16}", ""),
        (r"\b[a-z0-9]{32}\b or key", ""),
        ("HardcodedPassword", "r1"),
        ("B105", "B105"),
        ("BDSA-2020-1001 (CVE-2020-11022)", "BDSA-2020-1001 (CVE-2020-11022)"),
        ("Package: lodash", "CVE-2021-23337"),
        ("", ""),
    ],
)
def test_it_knows_what_is_no_sentence(text, name):
    assert not is_sentence(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Use of eval is dangerous", "eval"),
        ("CVE-2021-23337 high vulnerability for lodash package", "CVE-2021-23337"),
        ("The scanf() family's %s operation permits overflows", "buffer/sscanf"),
        ("Workflow expands ${{ github.head_ref }} in a script", "template-injection"),
        ("A regular expression like [a-z]+ is slow here", "redos"),
        ("Hard-coded credentials", "py/hardcoded-credentials"),
        ("SQL query built from a dict {'a': 1}", "S1"),
    ],
)
def test_it_knows_a_sentence(text, name):
    assert is_sentence(text, name)


def test_it_takes_the_first_line_of_the_first_sentence_without_entities():
    found = title_from(["rule-1", "The user&#39;s &quot;id&quot; is used\nmore", "Another one"])
    assert found == 'The user\'s "id" is used'
    assert plain("a & b") == "a & b"


@pytest.mark.parametrize(
    ("help_", "advice"),
    [
        ("# SQL\nBad.\n## Recommendation\nUse parameters.\n### How\nSo.\n## References\n* x",
         "Use parameters.\n### How\nSo."),
        ("**Overview**\nBad.\n\n**How to fix it?**\n\nUpdate.\n\n**More**\nx", "Update."),
        ("<b>Remediation:</b>\nRotate it.\n<b>References:</b>\n- x", "Rotate it."),
        ("Bad.\n\nSolution: use `os.Root`.\nSeverity: HIGH", "use `os.Root`."),
        ("## Fix\n```\n# not a heading\nx\n```\n# End\ny", "```\n# not a heading\nx\n```"),
        ("## Remediation\n| a | b |\n|---|---|\n| 1 | 2 |\n\nDo it.", "Do it."),
        ("**Vulnerability CVE-1**\n| Severity | Package |\n| --- | --- |\n| HIGH | lodash |", ""),
        ("The fix is known.\nRemediation costs money.", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_it_takes_the_part_under_a_heading_that_announces_advice(help_, advice):
    assert advice_in(help_) == advice


def test_it_squeezes_no_table_or_mark_of_a_heading_into_a_line():
    assert advice_line("### Protect it\n* Enable MFA.") == "Protect it * Enable MFA."
    assert advice_line("Update.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\nThen restart.") == (
        "Update. Then restart."
    )
