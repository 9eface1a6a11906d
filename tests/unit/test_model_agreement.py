"""Who says something else than the others."""

from harbor_verify.model.agreement import dissent, prevailing


def test_what_most_say_prevails_and_in_a_draw_the_first():
    assert prevailing([1, 2, 2]) == 2
    assert prevailing(["a", "b"]) == "a"


def test_answers_that_agree_leave_nobody_to_name():
    assert dissent({"a": {"x": 1, "y": ["z"]}, "b": {"y": ["z"], "x": 1}}) == {}
    assert dissent({}) == {}


def test_the_one_that_differs_is_named_with_its_keys_and_both_values():
    answers = {"a": {"host": "old", "port": 1}, "b": {"host": "new", "port": 1}, "c": {"host": "new"}}
    assert dissent(answers) == {
        "a": ["host is 'old', not 'new'"],
        "c": ["port is absent, not 1"],
    }


def test_a_number_is_not_its_text():
    assert dissent({"a": {"port": 1}, "b": {"port": "1"}}) == {"b": ["port is '1', not 1"]}


def test_no_secret_is_told():
    for key in ("mysql_password", "EMAIL_PWD", "ui_secret", "secretKey"):
        assert dissent({"a": {key: "hush"}, "b": {key: "hidden"}}) == {"b": [f"{key} is another"]}
