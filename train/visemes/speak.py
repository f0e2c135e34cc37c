# SPDX-License-Identifier: MIT
"""Speech of which every phone's time is known: espeak-ng speaks, with its events.

  speak.py OUT_DIR TEXT_DIR N

Writes N sentences as OUT_DIR/<k>.wav and what is seen when as OUT_DIR/labels.tsv: name, voice,
held (1: a voice or accent never trained on), then class:start_ms for each phone. Sentences come
from the prose of TEXT_DIR/**/*.md; a third are made-up words and numbers in other languages."""
import ctypes
import glob
import os
import random
import re
import sys
import wave

from phones import SIL, UNKNOWN, parts_of

ACCENTS = ["en-gb", "en-us", "en-gb-x-rp", "en-gb-x-gbclan", "en-029", "en-us-nyc",
           "en-gb-x-gbcwmd", "en-gb-scotland"]
OTHERS = ["de", "es", "it", "pl", "pt", "fr-fr", "nl", "sv", "tr", "cs", "fi", "id", "hu", "ro"]
HELD_ACCENTS = {"en-gb-scotland", "nl"}
HELD_SHARE = 8  # one variant of so many is never trained on
SYNC_BYTES = 0x01 | 0x02  # phoneme events, in IPA
PHONEME, SENTENCE_END = 7, 5
END = object()


class Name(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint),
                ("text_position", ctypes.c_int), ("length", ctypes.c_int),
                ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", Name)]


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                            ctypes.POINTER(Event))


class Speaker:
    def __init__(self):
        self.lib = ctypes.CDLL("libespeak-ng.so.1")
        self.rate_hz = self.lib.espeak_Initialize(2, 0, None, SYNC_BYTES)  # synchronous retrieval
        self.callback = CALLBACK(self.take)
        self.lib.espeak_SetSynthCallback(self.callback)

    def take(self, samples, n, events):
        if n > 0:
            self.sound += ctypes.string_at(samples, 2 * n)
        i = 0
        while events[i].type:
            if events[i].type == PHONEME:
                self.phones.append((events[i].id.string.decode("utf-8", "ignore"),
                                    events[i].audio_position))
            i += 1
        return 0

    def say(self, text, voice, words_a_minute, pitch, pitch_range):
        self.sound, self.phones = b"", []
        if self.lib.espeak_SetVoiceByName(voice.encode()):
            return False
        for key, value in ((1, words_a_minute), (3, pitch), (4, pitch_range)):
            self.lib.espeak_SetParameter(key, value, 0)
        data = text.encode()
        self.lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)
        self.lib.espeak_Synchronize()
        return len(self.sound) > 0


def sentences(folder):
    found = set()
    for path in glob.glob(os.path.join(folder, "**", "*.md"), recursive=True):
        for sentence in re.split(r"[.:;|]\s", open(path, encoding="utf-8").read()):
            sentence = re.sub(r"\s+", " ", re.sub(r"[`*_#]", "", sentence)).strip()
            if re.fullmatch(r"[A-Za-z][a-z' ,-]+", sentence) and 4 <= sentence.count(" ") <= 13:
                found.add(sentence)
    return sorted(found)


def made_up(rng):
    """Words of no language, and a number: read by each language's own rules."""
    words = []
    for _ in range(rng.randint(3, 7)):
        word = ""
        for _ in range(rng.randint(1, 3)):
            word += rng.choice("b d f g h k l m n p r s t v w z sh ch tr pl br fl st j".split())
            word += rng.choice("a e i o u ai au ei ou a e i o u".split())
        words.append(word + rng.choice(["", "", "n", "l", "s", "m", "r", "t"]))
    return " ".join(words) + (", " + str(rng.randint(1, 999)) if rng.random() < 0.4 else "")


def labels_of(phones, end_ms):
    """[(class, start_ms)...], the last one SIL at the end."""
    found = []
    for i, (ipa, start) in enumerate(phones):
        stop = phones[i + 1][1] if i + 1 < len(phones) else end_ms
        parts = parts_of(ipa)
        if not parts:
            parts = [(SIL, 1.0)] if not re.search(r"\w", ipa) else [(UNKNOWN, 1.0)]
        for c, share in parts:
            found.append((c, round(start)))
            start += share * (stop - start) if share < 1 else 0
    return found


def main():
    out, folder, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rng = random.Random(5)
    texts = sentences(folder)
    path = "/usr/lib/x86_64-linux-gnu/espeak-ng-data/voices/!v"
    variants = sorted(name for name in os.listdir(path) if re.fullmatch(r"[A-Za-z0-9-]+", name)
                      and "whisper" not in name.lower())
    speaker = Speaker()
    print(f"{len(texts)} sentences, {len(variants)} variants, {speaker.rate_hz} Hz")
    with open(os.path.join(out, "labels.tsv"), "w", encoding="utf-8") as f:
        for k in range(n):
            accent = rng.choice(ACCENTS if rng.random() < 0.67 else OTHERS)
            at = rng.randrange(len(variants))
            text = rng.choice(texts) if accent[:2] == "en" else made_up(rng)
            if not speaker.say(text, f"{accent}+{variants[at]}", rng.randint(110, 210),
                               rng.randint(20, 80), rng.randint(20, 80)):
                continue
            with wave.open(os.path.join(out, f"{k}.wav"), "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(2)
                sound.setframerate(speaker.rate_hz)
                sound.writeframes(speaker.sound)
            end_ms = len(speaker.sound) / 2 / speaker.rate_hz * 1000
            held = int(accent in HELD_ACCENTS or at % HELD_SHARE == 3)
            marks = " ".join(f"{c}:{t}" for c, t in labels_of(speaker.phones, end_ms))
            f.write(f"{k}.wav\t{accent}+{variants[at]}\t{held}\t{end_ms:.0f}\t{marks}\n")


if __name__ == "__main__":
    main()
