"""What the policy forbids stands in no template: said here before a browser finds it."""

import re
from pathlib import Path

import pytest

INLINE = re.compile(r"<style|\sstyle=|javascript:|\shx-on|\son[a-z]+=|['\"]js:|<script(?![^>]*\ssrc=)", re.IGNORECASE)


@pytest.mark.parametrize("template", sorted(Path("templates").rglob("*.html")), ids=str)
def test_no_template_has_scripts_styles_or_deeds_of_its_own(template):
    assert INLINE.findall(template.read_text()) == []


@pytest.mark.parametrize(
    "text", ["<style>", "<p style='x'>", '<a href="javascript:x">', "<p hx-on:click='x'>", "<script>x</script>"]
)
def test_what_would_be_found(text):
    assert INLINE.findall(text)
