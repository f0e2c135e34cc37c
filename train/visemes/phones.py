# SPDX-License-Identifier: MIT
"""What is seen of a phone: from the IPA symbols that espeak-ng says to the classes of the net."""
import re
import subprocess

# The first fifteen are those of the Oculus set; L and W are kept apart because drawn mouths have
# shapes of their own for them.
CLASSES = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U",
           "L", "W"]
SIL, UNKNOWN = 0, -1
OF_IPA = {
    "PP": "p b m ɓ", "FF": "f v ʋ ɱ", "TH": "θ ð", "DD": "t d ɾ ʈ ɖ ɗ", "kk": "k g ɡ q x ɣ c ɟ χ",
    "CH": "ʃ ʒ ɕ ʑ ʂ ʐ", "SS": "s z", "nn": "n ŋ ɲ ɳ ɴ", "RR": "r ɹ ɻ ʁ ʀ ɜ ɝ ɚ ɽ",
    "aa": "a ɑ ɐ ʌ æ ɶ", "E": "e ɛ ə ɘ", "I": "i ɪ j ɨ ɯ", "O": "o ɔ ɒ œ ɤ",
    "U": "u ʊ y ø ʉ ʏ ɵ", "L": "l ɫ ɭ ʎ", "W": "w ɥ ʍ",
}
CLASS_OF = {symbol: CLASSES.index(name) for name, symbols in OF_IPA.items()
            for symbol in symbols.split()}
FIRST_PART = 0.6  # of a diphthong


def parts_of(ipa):
    """[(class, share of the time)...] of one phone; UNKNOWN: it looks like its neighbours."""
    letters = [c for c in ipa if c in CLASS_OF or c in "hɦʔçʕħ"]
    classes = [CLASS_OF.get(c, UNKNOWN) for c in letters]
    ch = CLASSES.index("CH")
    if len(classes) > 1 and classes[-1] == ch:  # an affricate is one movement
        classes = [ch]
    classes = [c for i, c in enumerate(classes) if not i or c != classes[i - 1]]
    if len(classes) == 2:
        return [(classes[0], FIRST_PART), (classes[1], 1 - FIRST_PART)]
    return [(c, 1 / len(classes)) for c in classes]


def of_text(text, voice="en-gb"):
    """Words of classes, [[class...]...]."""
    said = subprocess.run(["espeak-ng", "-q", "--ipa=1", "--sep=_", "-v", voice, text],
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    words = []
    for word in said.split():
        classes = [c for phone in word.split("_") for c, _ in parts_of(phone) if c != UNKNOWN]
        if classes:
            words.append(classes)
    return words


GRID = [dict(b="bin", l="lay", p="place", s="set"), dict(b="blue", g="green", r="red", w="white"),
        dict(a="at", b="by", i="in", w="with"), None,
        dict(zip("z123456789", "zero one two three four five six seven eight nine".split())),
        dict(a="again", n="now", p="please", s="soon")]


def transcript(row):
    """What is said in a clip, where its source's name says so; else None."""
    name = re.split(r"[/:]", row["source"])
    grid = [re.fullmatch(r"(?:.*_)?([blps][bgrw][abiw][a-vx-z][z1-9][anps])", part.split(".")[0])
            for part in name]
    grid = [match.group(1) for match in grid if match]
    if row["identity"].startswith("GRID") and grid:
        return " ".join(words[c] if words else c.upper() for c, words in zip(grid[-1], GRID))
    if row["identity"].startswith("LRorg") and row["language"] == "en":
        text = name[-1].split(".")[0]
        words = re.sub(r"[0-9]+$", "", text).split("_")
        who = re.sub(r"[0-9]+$", "", row["identity"].split("-")[1])
        return " ".join(words[1:] if words[0] == who else words)
    return None
