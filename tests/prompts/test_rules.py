"""The sentences of the prompt language, one by one."""

import pytest

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Task
from tests.prompts.reading import reading

LONG_URL = "https://e.com/" + "a" * 1010  # 1024 characters

CHARACTERS = [
    ("a\tcat\r\nsat\u3000down\u2028here", "text=a cat sat down here"),
    ("a \u200b cat", "text=a cat; warn: invisible_removed"),
    ("\ufeffa cat", "text=a cat; warn: invisible_removed"),
    ("a \u202ecat\u2069 \u200f\u061c", "text=a cat; warn: invisible_removed"),
    ("\u200b", "422 empty_prompt"),
    ("👩\u200d🚀", "text=👩\u200d🚀"),
    ("می\u200cخواهم", "text=می\u200cخواهم"),
    ("a\x00cat", "422 control_character"),
    ("a\x1bcat", "422 control_character"),
    ("a\x1ccat", "422 control_character"),
    ("a\x7fcat", "422 control_character"),
    ("a\x9fcat", "422 control_character"),
    ("a\ud800cat", "422 control_character"),
    ("a\x85cat", "text=a cat"),
    ("a" * 8193, "422 prompt_too_long"),
    ("", "422 empty_prompt"),
    ("“sign” cat", 'text="sign" cat'),
    ("ｆｕｌｌ width", "text=ｆｕｌｌ width"),
    ("/imagine prompt: a cat --ar 2:1", "text=a cat; ar=2:1; warn: wrapper_removed"),
    ("/IMAGINE prompt:a cat", "text=a cat; warn: wrapper_removed"),
    ("/imagine prompt:", "422 empty_prompt"),
    ("/imaginedragons poster", "text=/imaginedragons poster"),
    ('"a cat --ar 2:1"', "text=a cat; ar=2:1; warn: wrapper_removed"),
    ("“a cat —ar 2:1”", "text=a cat; ar=2:1; warn: wrapper_removed, dash_normalized"),
    ('"a cat"', 'text="a cat"'),
    ('"a cat --foo"', 'text="a cat --foo"'),
    ('"a" and "b --ar 1:1"', 'text="a" and "b --ar 1:1"'),
]

LITERAL = [
    ('12" by 8" {a}', "400 permutations_not_supported"),
    ('a 12" ruler "--v 9" --ar 1:1', 'text=a 12" ruler "--v 9"; ar=1:1; warn: possible_flag'),
    ('say "a::2 b"', 'text=say "a::2 b"'),
    ('"https://e.com/a" sign', 'text="https://e.com/a" sign'),
    ('x --no "red, blue", green', 'text=x; no=["red, blue", green]'),
    ("a {b", "text=a {b; warn: lone_brace"),
    ("a } {b", "text=a } {b; warn: lone_brace"),
    ("a {} b", "400 permutations_not_supported"),
    ("a {b \\} c}", "400 permutations_not_supported"),
    ("a {b \\} c", "text=a {b } c; warn: lone_brace"),
    ("https://e.com/{a,b}.png cat", "400 permutations_not_supported"),
]

IMAGE_URLS = [
    (f"{LONG_URL} cat", "img=1; text=cat"),
    (f"{LONG_URL}a cat", "422 invalid_url"),
    ("HTTPS://E.COM/a cat", "img=1; text=cat"),
    ("http://u:p@e.com/a cat", "422 invalid_url"),
    ("http:// cat", "422 invalid_url"),
    ("http://e.com:0/a cat", "422 invalid_url"),
    ("http://e.com:65536/ cat", "422 invalid_url"),
    ("http://e.com:65535/ cat", "img=1; text=cat"),
    ("http://e.com\\@f.com/ cat", "422 invalid_url"),
    ("http://[::1/ cat", "422 invalid_url"),
    ("http://[zz]/ cat", "422 invalid_url"),
    ("https://例え.jp/a cat", "img=1; text=cat"),
    ("https://e.com/ａ cat", "img=1; text=cat"),
    ("https://e.com/a.png::2 cat", "400 image_url_weight"),
    ("https://e.com/a.png:: cat", "400 image_url_weight"),
    ("https://e.com/a.png, https://e.com/b.png", "img=2; text=(none); warn: trailing_punctuation"),
    ("https://e.com/a.png cat https://e.com/b.png", "400 url_not_first"),
    ("a (https://e.com/a.png) cat", "400 url_not_first"),
    ("ftp://e.com/a cat", "text=ftp://e.com/a cat"),
    ("https://e.com/a--ar::b cat", "img=1; text=cat"),
    ("https://e.com/a.png ::", "422 missing_text"),
    ("https://e.com/a.png", "422 missing_text"),
    ("https://e.com/a.png https://e.com/b.png --ar 1:1", "img=2; text=(none); ar=1:1"),
    ("https://e.com/a.png cat --iw 2", "img=1; text=cat; iw=2"),
    ("cat --iw 2", "text=cat; iw=2; warn: missing_reference"),
    ("a cat --ar 1:1 https://e.com/a.png", "400 text_after_parameters --ar"),
]

DASHES = [
    *[(f"a cat {dash}{dash}ar 2:1", "text=a cat; ar=2:1; warn: dash_normalized") for dash in "‐‑‒–—―−﹘﹣－"],
    *[(f"a cat {dash}ar 2:1", "text=a cat; ar=2:1; warn: dash_normalized") for dash in "‐‑‒–—―−﹘﹣－"],
    ("a cat -–ar 2:1", "text=a cat; ar=2:1; warn: dash_normalized"),
    ("a cat —ar wide", "text=a cat —ar wide"),
    ("a man —s tail", "text=a man —s tail"),
    ("a bear —raw sienna", "text=a bear —raw sienna"),
    ("a bear —raw... sienna", "text=a bear —raw... sienna"),
    ("a cat —ar = １６：９ —raw", "text=a cat; ar=16:9; raw=on; warn: dash_normalized, equals_sign"),
    ("a bear —raw", "text=a bear; raw=on; warn: dash_normalized"),
    ("a bear —raw —v 6", "v=6; text=a bear; raw=on; warn: dash_normalized"),
    ("a cat —foo 3", "text=a cat —foo 3"),
    ("a cat ——foo 3", "400 unknown_parameter --foo"),
    ("猫 ——可爱", "text=猫 ——可爱"),
    ("a cat —c 101", "422 out_of_range --c"),
    ("dog—no leash", "text=dog—no leash"),
    ("a dog —no leash", "text=a dog; no=[leash]; warn: dash_normalized"),
    ("a cat —niji", "v=niji 6; text=a cat; warn: dash_normalized"),
    ("a cat —v7", "text=a cat; warn: dash_normalized"),
    ("a cat --Ar 2:1 --RAW --STYLE RAW", "text=a cat; ar=2:1; raw=on"),
    ("x --v7.0", "text=x"),
    ("x --v 8.0", "v=8; text=x"),
    ("x --version8.1", "v=8.1; text=x"),
    ("x --niji6", "v=niji 6; text=x"),
    ("x --niji5", "422 unsupported_version --niji"),
    ("x --niji 7", "422 unsupported_version --niji"),
    ("x --v9", "422 unsupported_version --v"),
    ("x --v niji", "422 unsupported_version --v"),
    ("x --v", "422 missing_value --v"),
    ("x --s100", "400 unknown_parameter --s100"),
    ("x --foo-bar 3", "400 unknown_parameter --foo-bar"),
    ("x --größe 3", "400 unknown_parameter --größe"),
    ("x --5", "text=x --5"),
    ("x --", "text=x --"),
    ("x ---ar 2:1", "text=x ---ar 2:1; warn: possible_flag"),
    ("x -ar", "text=x -ar; warn: possible_flag"),
    ("a well -known -ary cat", "text=a well -known -ary cat"),
    ("x -ar 2:1 -v 7", "text=x -ar 2:1 -v 7; warn: possible_flag"),
    ("cat--dog", "text=cat--dog"),
    ("cat--ar wide", "text=cat--ar wide; warn: possible_flag"),
    ("cat--tile--raw", "text=cat; tile=on; raw=on; warn: missing_space"),
    ("cat --ar=16:9", "text=cat; ar=16:9; warn: equals_sign"),
    ("cat --ar = 16:9", "text=cat; ar=16:9; warn: equals_sign"),
    ("cat --ar 16:9, --v 6.", "v=6; text=cat; ar=16:9; warn: trailing_punctuation, trailing_punctuation"),
    ("cat --tile; --raw", "text=cat; tile=on; raw=on; warn: trailing_punctuation"),
    ("cat --sref=https://e.com/a--v2.png", "text=cat; sref=[https://e.com/a--v2.png:1]; warn: equals_sign"),
    ("cat --raw --ar 2:1 --v 6 --s 1", "v=6; text=cat; raw=on; ar=2:1; stylize=1"),
    ("a cat --c 50 60", "400 text_after_parameters --c"),
    ("a cat --ar 1:1 -v 7", "400 text_after_parameters --ar"),
    ("a cat --exp on a sofa", "400 text_after_parameters --exp"),
    ("a cat --p on a sofa", "400 text_after_parameters --p"),
    ("a cat --sref 12 on a sofa", "400 text_after_parameters --sref"),
    ("a cat --niji on a sofa", "400 text_after_parameters --niji"),
]

DUPLICATES = [
    ("x --ar 16:9 --aspect 32:18", "text=x; ar=16:9"),
    ("x --v 7 --v 6", "text=x; warn: duplicate_parameter"),
    ("x --raw --style raw", "text=x; raw=on"),
    ("x --ar 2:1 --ar 1:1 --ar 3:1", "text=x; ar=2:1; warn: duplicate_parameter"),
    ("x --sref 1 --sref 2", "text=x; sref=[1:1]; warn: duplicate_parameter"),
    ("x --exp --exp 25", "text=x; exp=25"),
    ("x --s 1 --s 1001", "422 out_of_range --s"),
    ("x --no a, b --no b, c", "text=x; no=[a, b, c]"),
]

VALUES = [
    ("x --ar 14:1", "text=x; ar=14:1; warn: extreme_aspect"),
    ("x --ar 1:14", "text=x; ar=1:14; warn: extreme_aspect"),
    ("x --ar 15:1", "422 out_of_range --ar"),
    ("x --ar 1:15", "422 out_of_range --ar"),
    ("x --ar 4:1", "text=x; ar=4:1"),
    ("x --ar 41:10", "text=x; ar=41:10; warn: extreme_aspect"),
    ("x --ar 1:0", "422 invalid_value --ar"),
    ("x --aspect 16", "422 invalid_value --aspect"),
    ("x --ar", "422 missing_value --ar"),
    (
        "x --c 0 --w 3000 --s 1000 --seed 4294967295 --stop 10",
        "text=x; chaos=0; weird=3000; stylize=1000; seed=4294967295; stop=10",
    ),
    ("x --c -1", "422 invalid_value --c"),
    ("x --c +1", "422 invalid_value --c"),
    ("x --c ٣", "422 invalid_value --c"),
    ("x --c ５０", "text=x; chaos=50"),
    ("x --w 3001", "422 out_of_range --w"),
    ("x --weird 3001", "422 out_of_range --weird"),
    ("x --s 1001", "422 out_of_range --s"),
    ("x --stop 101", "422 out_of_range --stop"),
    ("x --seed " + "9" * 5000, "422 out_of_range --seed"),
    ("x --seed 007", "text=x; seed=7"),
    ("x --q .25", "text=x; quality=1; warn: value_snapped"),
    ("x --q abc", "422 invalid_value --q"),
    ("x --q 5", "422 out_of_range --q"),
    ("x --q 1.0", "text=x; quality=1"),
    ("x --v 7.1", "422 unsupported_version --v"),
    ("x --v 5", "422 unsupported_version --v"),
    ("x --exp 0", "text=x; exp=0"),
    ("x --exp 101", "422 out_of_range --exp"),
    ("x --exp 2.5", "422 invalid_value --exp"),
    ("x --exp -5", "422 invalid_value --exp"),
    ("x --style", "422 missing_value --style"),
    ("x --style cute", "422 invalid_value --style"),
    ("x --sref 1 --sw 1001", "422 out_of_range --sw"),
    ("x --cref http://e.com/a --cw 101", "422 out_of_range --cw"),
    ("x --oref http://e.com/a --ow 0", "422 out_of_range --ow"),
    ("x --sw 5", "text=x; sw=5; warn: missing_reference"),
    ("x --cw 5", "text=x; cw=5; warn: missing_reference"),
    ("x --ow 5", "text=x; ow=5; warn: missing_reference"),
    ("http://e.com/a x --iw .5", "img=1; text=x; iw=0.5"),
    ("http://e.com/a x --iw -1", "422 invalid_value --iw"),
    ("x --sv 5", "422 out_of_range --sv"),
    ("x --sv 0", "422 out_of_range --sv"),
    ("x --sref 0", "422 out_of_range --sref"),
    ("x --sref 4294967296", "422 out_of_range --sref"),
    ("x --sref foo", "422 invalid_value --sref"),
    ("x --sref RANDOM::2 http://e.com/a::.5 7::−1", "text=x; sref=[random:2, http://e.com/a:0.5, 7:-1]"),
    ("x --sref 7::1001", "422 out_of_range --sref"),
    ("x --sref https://a@e.com/a", "422 invalid_url --sref"),
    (f"x --sref {LONG_URL}a", "422 invalid_url --sref"),
    ("x --cref 1234", "422 invalid_value --cref"),
    ("x --cref http://e.com/a http://e.com/b::2", "text=x; cref=[http://e.com/a:1, http://e.com/b:2]"),
    ("x --oref random", "422 invalid_value --oref"),
    ("x --profile ab12cd3 p99", "text=x; p=[ab12cd3, p99]"),
    ("x --no", "422 missing_value --no"),
    ("x --no , ,", "422 missing_value --no"),
    ("x --no a,, b --s 5", "text=x; stylize=5; no=[a, b]"),
    ("x --no 红，蓝", "text=x; no=[红, 蓝]"),
    ("x --no ｃａｒｓ", "text=x; no=[cars]"),
]

CLASHES = [
    ("x --v 7 --niji", "400 conflicting_parameters --niji"),
    ("x --fast --turbo", "400 conflicting_parameters --turbo"),
    ("x --oref http://e.com/a --draft", "400 conflicting_parameters --oref"),
    ("x --q 4 --oref http://e.com/a", "400 conflicting_parameters --oref"),
    ("x --q 2 --oref http://e.com/a", "text=x; quality=2; oref=[http://e.com/a:1]; cost x2"),
    ("x --v 8 --sv 6 --hd", "400 conflicting_parameters --sv"),
    ("x --v 8 --sv 6 --q 4", "400 conflicting_parameters --sv"),
    ("x --v 8 --sv 4", "422 out_of_range --sv"),
    ("x --v 8.1 --turbo", "400 unsupported_for_version --turbo"),
    ("x --bs 2", "400 unsupported_parameter --bs"),
    ("x --batchsize 3", "400 unsupported_parameter --batchsize"),
    ("x --loop", "400 unsupported_parameter --loop"),
    ("x --end http://e.com/a", "400 unsupported_parameter --end"),
    ("x --motion low", "text=x; warn: ignored_parameter"),
    ("x --sd --v 8.1", "400 unsupported_for_version --sd"),
    ("x --sd", "400 unsupported_parameter --sd"),
    ("x --r 3", "400 unsupported_parameter --r"),
    # The first problem decides: flags in reading order, then clashes, then versions, then weights.
    ("x::-1 --s 1001 --foo", "422 out_of_range --s"),
    ("x::-1 --foo --s 1001", "400 unknown_parameter --foo"),
    ("x::-1 --hd --fast --turbo", "400 conflicting_parameters --turbo"),
    ("x::-1 --hd", "400 unsupported_for_version --hd"),
    ("x::-1", "422 weight_sum_not_positive"),
    ("{a} b https://e.com/a", "400 permutations_not_supported"),
    ("b https://e.com/a --foo", "400 url_not_first"),
]

WEIGHTS = [
    ("a::2", "seg=a:2"),
    ("a::+2 b::−.5 c::1.25", "seg=a:2, b:-0.5, c:1.25"),
    ("a::2, b", "seg=a:2, b:1"),
    ("a::b::3", "seg=a:1, b:3"),
    ("a::2::b", "seg=a:2, b:1"),
    ("::5 a:: ::b", "seg=a:1, b:1"),
    ("a::1000 b::-999", "seg=a:1000, b:-999"),
    ("a::1001", "422 out_of_range"),
    ("a::1 b::-1", "422 weight_sum_not_positive"),
    ("a::.1 b::.2 c::-.3", "422 weight_sum_not_positive"),
    ("a::0", "422 weight_sum_not_positive"),
    ("::", "422 empty_prompt"),
    ("a::" + "9" * 5000, "422 out_of_range"),
    ("hot:: dog --v 8.1", "v=8.1; seg=hot:1, dog:1"),
    ("(cat:1.3) on a mat", "text=(cat:1.3) on a mat; warn: foreign_weight"),
    ('"(cat:1.3)" sign', 'text="(cat:1.3)" sign'),
    ("cat::2--ar 2:1", "seg=cat:2; ar=2:1; warn: missing_space"),
]

VIDEO = [
    ("--bs 4 --raw", "text=(none); bs=4; raw=on"),
    ("a wave", "text=a wave"),
    ("", "422 empty_prompt"),
    ("http://e.com/a http://e.com/b wave", "422 too_many_references"),
    ("http://e.com/a::2 wave", "400 image_url_weight"),
    ("wave http://e.com/a", "400 url_not_first"),
    ("wave --motion 1 --batchsize 2", "text=wave; motion=low; bs=2"),
    ("wave --motion 2", "text=wave; motion=low"),
    ("wave --motion 3", "text=wave; motion=high"),
    ("wave --motion HIGH --motion 4", "text=wave; motion=high"),
    ("wave --motion 5", "422 out_of_range --motion"),
    ("wave --motion 0", "422 out_of_range --motion"),
    ("wave --motion fast", "422 invalid_value --motion"),
    ("wave --bs 8", "422 out_of_range --bs"),
    ("wave --end cat", "422 invalid_value --end"),
    ("wave --end http://a@e.com/", "422 invalid_url --end"),
    ("wave --end http://e.com/a http://e.com/b", "400 text_after_parameters --end"),
    ("wave --turbo --ar 16:9", "text=wave; turbo=on; ar=16:9; cost x2"),
    ("wave --video", "text=wave; video=on"),
    ("wave --v 7", "400 unsupported_for_version --v"),
    ("wave --niji", "400 unsupported_for_version --niji"),
    ("wave --relax", "400 unsupported_parameter --relax"),
]


def rules() -> list[tuple[Task, str, str]]:
    images = [*CHARACTERS, *LITERAL, *IMAGE_URLS, *DASHES, *DUPLICATES, *VALUES, *CLASHES, *WEIGHTS]
    return [*(("image", *rule) for rule in images), *(("video", *rule) for rule in VIDEO)]


@pytest.mark.parametrize(("task", "written", "becomes"), rules(), ids=[written[:60] for _, written, _ in rules()])
def test_each_rule_holds(task: Task, written: str, becomes: str) -> None:
    assert reading(written, task=task) == becomes


def test_strict_turns_the_first_warning_into_a_400() -> None:
    with pytest.raises(PromptGrammarError) as refused:
        parse_prompt("x --q .25", strict=True)

    assert refused.value.status == 400
    assert refused.value.code == "value_snapped"
    assert refused.value.detail["param"] == "--q"


def test_strict_leaves_a_clean_prompt_alone() -> None:
    assert parse_prompt("a cat --ar 16:9", strict=True) == parse_prompt("a cat --ar 16:9")


def test_the_detail_lists_the_further_problems() -> None:
    with pytest.raises(PromptValueError) as refused:
        parse_prompt("x --c 101 --foo 3 --ar 1:1 on a sofa")

    others = [(problem["code"], problem["param"]) for problem in refused.value.detail["problems"]]
    assert others == [("unknown_parameter", "--foo"), ("text_after_parameters", "--ar")]


def test_a_message_says_what_was_given_and_what_is_possible() -> None:
    with pytest.raises(PromptValueError) as refused:
        parse_prompt("x --c 101")

    assert refused.value.message == '--c: "101" is out of range; possible is 0 to 100.'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a cat --stylise 100", "--stylise is not a parameter; the nearest is --stylize."),
        ("a cat --choas 5", "--choas is not a parameter; the nearest is --chaos."),
        ("a cat --bananas", "--bananas is not a parameter."),
        ("a cat --looop", "--looop is not a parameter."),  # near --loop, which only videos have
    ],
)
def test_a_mistyped_flag_is_told_what_is_near(text: str, said: str) -> None:
    with pytest.raises(PromptGrammarError) as refused:
        parse_prompt(text)

    assert refused.value.message == said


def test_a_message_does_not_repeat_a_whole_book() -> None:
    with pytest.raises(PromptGrammarError) as refused:
        parse_prompt(f"x --{'a' * 8000}")

    assert len(refused.value.message) < 200
    assert len(refused.value.detail["param"]) < 100
