#!/bin/sh
# SPDX-License-Identifier: MIT
# The mouth against the sound, over people that were never trained on (rows `val` and `measure` of
# the manifest): a line per clip and setting, then the means; then how far the curve of a disturbed
# voice agrees with that of the clean one.
#   bench/quality/motion.sh BUILD_DIR DATA_DIR WORK_DIR [CLIP.mouth...]
# DATA_DIR: manifest.tsv, clips/, speech/. WORK_DIR keeps what train/extract saw and
# train/hear heard
# of each clip. More clips may be named (joined ones, for instance: train/motion/join.py).
set -eu
if [ $# -lt 3 ]; then
    echo "usage: $0 BUILD_DIR DATA_DIR WORK_DIR [CLIP.mouth...]" >&2
    exit 2
fi
build=$1 data=$2 work=$3
shift 3
if [ ! -d "$data/clips" ]; then
    echo "skipped: no $data/clips" >&2
    exit 0
fi
ninja -C "$build" train/extract train/hear bench/bench-motion >&2
mkdir -p "$work/voices"
clips=$(awk -F '\t' '$3 == "val" || $3 == "measure" { print $1 }' "$data/manifest.tsv")
echo "$clips" | sed "s|^|$data/|" |
    xargs -n 100 "$build/train/extract" "$build/models" "$work" >&2 ||
    true # a clip without a face is no clip
echo "$clips" | sed "s|^|$data/|" | xargs -n 100 "$build/train/hear" "$build/models" "$work" >&2
person=
for clip in $clips; do
    mouth=$work/${clip##*/}.mouth
    if [ -e "$mouth" ]; then
        person=${person:-$mouth}
        set -- "$@" "$mouth"
    fi
done
"$build/bench/bench-motion" "$build/models" "$@"

# Voices: the same sound through a telephone, over music at 10 dB, whispered, one and a half times
# as fast; and the same sentence by four voices of a text-to-speech program.
sound() {
    ffmpeg -v error -y "$@"
}
music="aevalsrc='0.2*sin(2*PI*220*t)*(1-mod(2*t,1))+0.2*sin(2*PI*277*t)*(1-mod(t,1))\
+0.2*sin(2*PI*330*t)*(1-mod(3*t,1))+0.1*sin(2*PI*80*t)*(1-mod(2*t,1))':s=16000"
level() { # mean volume in dB
    ffmpeg -hide_banner -i "$1" -af volumedetect -f null - 2>&1 |
        sed -n 's/.*mean_volume: \(.*\) dB/\1/p'
}
for voice in "$data"/speech/en__ggml-org__jfk.flac "$data"/speech/zh__SWivid__basic_ref_zh.flac \
    "$data"/speech/vi__NTT123__clip.flac; do
    v=$work/voices
    sound -i "$voice" -ac 1 -ar 16000 -t 30 "$v/clean.wav"
    sound -i "$v/clean.wav" -af 'highpass=f=300,lowpass=f=3400,aresample=8000' -c:a pcm_mulaw \
        "$v/telephone.wav"
    sound -f lavfi -t 30 -i "$music" "$v/tune.wav"
    down=$(awk -v s="$(level "$v/clean.wav")" -v m="$(level "$v/tune.wav")" \
        'BEGIN { print s - 10 - m }')
    sound -i "$v/clean.wav" -i "$v/tune.wav" -filter_complex \
        "[1]volume=${down}dB[m];[0][m]amix=duration=first:normalize=0" "$v/music.wav"
    # whispered: every band keeps its level, its phase is drawn anew (no pitch is left)
    sound -i "$v/clean.wav" -af "afftfilt=real='hypot(re,im)*cos(6.2832*random(0))':\
imag='hypot(re,im)*sin(6.2832*random(1))':win_size=256:overlap=0.75" "$v/whisper.wav"
    sound -i "$v/clean.wav" -af atempo=1.5 "$v/fast.wav"
    echo
    echo "voice: ${voice##*/}"
    "$build/bench/bench-motion" "$build/models" --agree "$person" "$v/clean.wav" \
        "$v/telephone.wav" "$v/music.wav" "$v/whisper.wav" "$v/fast.wav@1.5"
done
if command -v espeak-ng > /dev/null; then
    for kind in m1 m3 f2 f4; do
        espeak-ng -v "en-us+$kind" -s 150 -w "$work/voices/$kind.wav" \
            "People buy more maps and books before every summer. My brother paid for the beans."
    done
    echo
    echo "text to speech: four voices of espeak-ng, against the first"
    "$build/bench/bench-motion" "$build/models" --agree "$person" "$work/voices/m1.wav" \
        "$work/voices/m3.wav" "$work/voices/f2.wav" "$work/voices/f4.wav"
fi
