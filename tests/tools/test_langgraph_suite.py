"""Counting LangGraph's own tests: what was skipped or broke has not passed."""

from xml.etree.ElementTree import fromstring

from tools.langgraph_suite import Count, count


def test_only_what_neither_failed_nor_was_skipped_has_passed():
    report = fromstring(
        '<s><testcase classname="a" name="good"/><testcase classname="a" name="bad"><failure/></testcase>'
        '<testcase classname="b" name="broken"><error/></testcase>'
        '<testcase classname="b" name="left"><skipped/></testcase></s>'
    )
    assert count(list(report)) == Count(1, ("a::bad", "b::broken", "b::left"))
