#!/bin/sh
# Answers -> shortlist -> training -> ranking -> report, small enough for two cores.
set -eu
here=$(dirname "$0")
out=${1:-runs/demo}
mkdir -p "$out"

if [ ! -e /usr/share/datasets/fashion-mnist ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Debian's package dataset-fashion-mnist" >&2
    { apt-get update -qq && apt-get install -qq -y dataset-fashion-mnist; } >/dev/null 2>&1 || true
fi
data=fashion-mnist
if ! gan-runner probe fashion-mnist >&2; then
    echo "Fashion-MNIST cannot be had here; the demo uses the built-in polygons (shapes) instead" >&2
    data=shapes
fi

gan-advisor recommend "$here/profile.yaml" -o "$out/advice.json"
# Narrow networks, small batches and few images: what two cores can do in eight to ten minutes.
# shellcheck disable=SC2086 # DEMO_MORE is for several options, such as --no-halving
gan-runner run "$out/advice.json" --data "$data" -o "$out" --budget "${DEMO_BUDGET:-45k}" \
    --seeds "${DEMO_SEEDS:-2}" --width 24 --batch-size 32 --samples 5k --draws 1 --looks 2 \
    ${DEMO_MORE:-}
echo "open $out/report.html; the winner's samples are in $out/samples.png" >&2
