"""Letters of other scripts that are read as Latin ones. Made from Unicode's list of confusable characters (see NOTICE).

Accents, widths and styles are no matter of this table: Unicode's own decompositions and names tell what they are.
"""

SHAPES = {
    "a": "ᗩᎪᗅꓮ𐊠𖽀",
    "b": "ƄᏏᏴᑲᖯᗷꓐꞴ𐊂𐊡𐌁",
    "c": "ᑕϲᏟⲤⲥꓚꮯ𐊢𐌂𐐕𐐽𐔜𑣩𑣲",
    "d": "ᎠᏧᑯᗞᗪꓒꓓ",
    "e": "ᗴҽᎬ℮ⴹꓰꬲ𐊆𑢦𑢮əǝ",
    "f": "ϜքᖴꓝꞘꞙꬵ𐊇𐊥𐔥𑢢𑣂",
    "g": "ᘜƍցᏀᏳꓖ",
    "h": "հᎻᏂᕼⲎꓧ𐋏",
    "i": "ᏆɩᎥꙇꭵ𑣃",
    "j": "ᎫᒍꓙƖ",
    "k": "ᏦᛕⲔꓗ𐔘",
    "l": "ǀᏞᒪᛁⲒⳐⵏꓡꓲ𐊊𐌉𐌠𐐛𐔦𑢣𑢲𖼖𖼨",
    "m": "ᎷᗰᛖⲘꓟ𐊰𐌑",
    "n": "ᑎոռⲚꓠ𐔓",
    "o": "ᝪᎾՕօ۵ჿዐᴑⲞⲟⵔꓳꬽ𐊒𐊫𐐄𐐬𐓂𐓪𐔖𑢵𑣈𑣗",
    "p": "ᏢᑭⲢⲣꓑ𐊕",
    "q": "ᑫգզⵕ",
    "r": "ƦᎡᏒᖇᴦⲅꓣꭇꭈꮁ𐒴𖼵",
    "s": "ᔕƽՏᏕᏚꓢꮪ𐊖𐐠𐑈𑣁𖼺",
    "t": "ᎢⲦꓔ𐊗𐊱𐌕𑢼𖼊",
    "u": "ʋՍսᑌꓴꞟꭎꭒ𐓎𐓶𑢸𑣘𖽂",
    "v": "۷Ꮩᐯⴸꓦꛟꮩ𐔝𑢠𑣀𖼈ʌ",
    "w": "ᗯɯաᎳᏔꓪꮃ𑣦𑣯",
    "x": "ᕁᕽ᙭ᚷⲬⵝꓫꞳ𐊐𐊴𐌗𐌢𐔧𑣬",
    "y": "ɣყᎩᎽⲨꓬꭚ𐊲𑢤𑣜𖽃",
    "z": "ᘔᏃꓜꮓ𐋵𑢩𑣄𑣥",
}
"""Of scripts in which nobody writes prompts whose words could be taken for Latin ones."""

LIGATURES = {"æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ð": "d", "Ð": "d", "þ": "th", "Þ": "th"}

TWINS = dict(zip("авеёкмнорстухіїјѕһԁԛԝьѵӏүѡ", "abeekmhopctyxiijshdqwbvlyw", strict=True)) | dict(
    zip("αβεικνορτυχωηϲϳ", "abeikvoptuxwncj", strict=True)
)
"""Cyrillic and Greek letters that are drawn as Latin ones, in small letters."""

LIKENESSES = dict(zip("бгдзйлпфцчшщэюя", "brdeunnouywweor", strict=True)) | dict(
    zip("γδθλμξπσφψζ", "ydonuenooyz", strict=True)
)
"""Those that are only like one: read so where a word has letters of more than one script."""
