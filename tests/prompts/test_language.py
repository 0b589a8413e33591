"""The table of the prompt language: what is written, and what it becomes."""

import pytest

from brushwork.prompts.prompt import Task
from tests.prompts.reading import reading

TABLE: tuple[tuple[Task, str, str], ...] = (
    ("image", "A cute kitten --ar 16:9 --stylize 100", "text=A cute kitten; ar=16:9; stylize=100"),
    ("image", "sunset --v7 --draft", "text=sunset; draft=on; cost x0.5"),
    ("image", "sunset --v 7.0", "text=sunset"),
    ("image", "portrait --niji", "v=niji 6; text=portrait"),
    ("image", "x --v 5.2", "422 unsupported_version --v"),
    ("image", "x --niji 6 --v 7", "400 conflicting_parameters --niji"),
    ("image", "a cat --foo 3", "400 unknown_parameter --foo"),
    ("image", "photo --ar 1920:1080", "text=photo; ar=16:9"),
    ("image", "photo --ar 8.5:11", "422 invalid_value --ar"),
    ("image", "photo --ar 40:1", "422 out_of_range --ar"),
    ("image", "x --c 101", "422 out_of_range --c"),
    ("image", "x --seed 4294967296", "422 out_of_range --seed"),
    ("image", "x --s 1,000", "422 invalid_value --s"),
    ("image", "x --q 0.25", "text=x; quality=1; warn: value_snapped"),
    ("image", "x --q 3", "422 out_of_range --q"),
    ("image", "garden --v 8.1 --no weeds", "400 unsupported_for_version --no"),
    ("image", "x --v 8.1 --hd", "v=8.1; text=x; warn: ignored_parameter"),
    ("image", "x --v 8 --hd", "v=8; text=x; hd=on; cost x4"),
    ("image", "x --v 8 --cref https://e.com/a.png", "400 unsupported_for_version --cref"),
    ("image", "x --v 6.1 --draft", "400 unsupported_for_version --draft"),
    ("image", "x --turbo", "text=x; turbo=on; cost x2"),
    ("image", "x --exp", "text=x; exp=25"),
    ("image", "x --relax", "400 unsupported_parameter --relax"),
    ("image", "a {red, blue} bird --ar 1:1", "400 permutations_not_supported"),
    ("image", "code \\{a, b\\} poster", "text=code {a, b} poster"),
    ("image", "Beach::2 mountain forest --ar 16:9", "seg=Beach:2, mountain forest:1; ar=16:9"),
    ("image", "tulips:: red::-0.5", "seg=tulips:1, red:-0.5"),
    ("image", "tulips:: red::-1", "422 weight_sum_not_positive"),
    ("image", "space:: 2 ships", "seg=space:1, 2 ships:1"),
    ("image", '"std::vector" neon sign', 'text="std::vector" neon sign'),
    ("image", "https://e.com/a.png https://e.com/b.png", "img=2; text=(none)"),
    ("image", "https://e.com/a.png --ar 1:1", "422 missing_text"),
    ("image", "a castle https://e.com/a.png", "400 url_not_first"),
    ("image", "http://[2001:db8::1]/a.png cat", "img=1; text=cat"),
    ("image", "https://good.com@127.0.0.1/a.png cat", "422 invalid_url"),
    (
        "image",
        "x --sref https://e.com/a.png::2 https://e.com/b.png::0.5",
        "text=x; sref=[https://e.com/a.png:2, https://e.com/b.png:0.5]",
    ),
    ("image", "x --sref 3799554500::2 1234", "text=x; sref=[3799554500:2, 1234:1]"),
    ("image", "x --sref random", "text=x; sref=[random:1]"),
    (
        "image",
        "A small duck holding a magic wand --oref http://image.png",
        "text=A small duck holding a magic wand; oref=[http://image.png:1]; cost x2",
    ),
    ("image", "duck --oref https://e.com/a.png https://e.com/b.png", "422 too_many_references --oref"),
    ("image", "x --p ab12cd3 m7305467230123", "text=x; p=[ab12cd3, m7305467230123]"),
    ("image", "model --no t-shirt, 3d-render --ar 1:1", "text=model; ar=1:1; no=[t-shirt, 3d-render]"),
    ("image", "x --no hats --no caps, hats", "text=x; no=[hats, caps]"),
    ("image", "x --ar 16:9 --ar 1:1", "text=x; ar=16:9; warn: duplicate_parameter"),
    ("image", "a cat —ar 16:9 —v 7", "text=a cat; ar=16:9; warn: dash_normalized"),
    ("image", "a dog — no leash—just grass", "text=a dog — no leash—just grass"),
    ("image", "a cat --ar １６：９", "text=a cat; ar=16:9"),
    ("image", "cat--ar 16:9--v 7", "text=cat; ar=16:9; warn: missing_space"),
    ("image", "cat -- ar 16:9", "text=cat -- ar 16:9; warn: possible_flag"),
    ("image", 'sign saying "--v 9 {a,b} now::2" --ar 1:1', 'text=sign saying "--v 9 {a,b} now::2"; ar=1:1'),
    ("image", "a cat --ar 1:1 on a sofa", "400 text_after_parameters --ar"),
    ("image", "--ar 16:9", "422 empty_prompt"),
    (
        "image",
        "Dynamic action scene --niji 6 --motion 4 --chaos 30",
        "v=niji 6; text=Dynamic action scene; chaos=30; warn: ignored_parameter",
    ),
    (
        "video",
        "https://example.com/image.jpg Epic camera movement --motion high --raw --loop --bs 1",
        "img=1; text=Epic camera movement; motion=high; raw=on; loop=on; bs=1",
    ),
    ("video", "https://e.com/a.jpg x --loop --end https://e.com/b.jpg", "400 conflicting_parameters --end"),
)


@pytest.mark.parametrize(("task", "written", "becomes"), TABLE, ids=[written for _, written, _ in TABLE])
def test_a_prompt_becomes_what_the_table_says(task: Task, written: str, becomes: str) -> None:
    assert reading(written, task=task) == becomes
