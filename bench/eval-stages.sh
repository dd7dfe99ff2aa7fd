#!/usr/bin/env bash
# Evaluates the stages of a model on the shipped sets and on perplexity, and writes docs/evaluation.
#
#   bench/eval-stages.sh base=runs/base.f16.gguf sft=runs/sft.f16.gguf orpo=runs/orpo.f16.gguf orpo-q4=models/psylite-mini/psylite-mini.q4_k_m.gguf
#
# The first model is what the others are held against. TEXT names the text for perplexity (default: client and counsellor lines of
# eval-sets/cpsycoune); JUDGE a judge as --judge takes it (default: rules); OUT the folder of the full runs (default: runs/evaluation).
# The models are stages of the built-in one, so the turn speaks to them as to it, without a system prompt.
# A run that was stopped goes on where it stopped when the same command is given again.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root"
[ $# -ge 1 ] || { sed -n '2,10p' "${BASH_SOURCE[0]}" >&2; exit 2; }
out=${OUT:-runs/evaluation}
judge=${JUDGE:-rules}
psylite=${PSYLITE:-./psylite}
mkdir -p "$out" docs/evaluation
text=${TEXT:-}
if [ -z "$text" ]; then
    text=$out/dialogues.txt
    cat eval-sets/cpsycoune/*/*.json | sed -nE 's/^ *"(求助者|支持者)：(.*)",?$/\2/p' >"$text"
fi

names=()
for stage in "$@"; do
    name=${stage%%=*}
    file=${stage#*=}
    [ -f "$file" ] || { echo "eval-stages: there is no $file" >&2; exit 1; }
    names+=("$name")
    for variant in official opencompass-ppl opencompass-gen; do
        "$psylite" eval ceval --variant "$variant" --model "$file" --name "$name" --out "$out/$name/ceval-$variant" >/dev/null
    done
    "$psylite" eval cpsycoune --prompt chat --max-tokens 400 --judge "$judge" --model "$file" --name "$name" --out "$out/$name/cpsycoune" >/dev/null
    "$psylite" eval cpsycoune --with-agent --as-built-in --max-tokens 400 --judge "$judge" --model "$file" --name "$name+turn" --out "$out/$name/cpsycoune-turn" >/dev/null
    "$psylite" eval safedialbench --max-tokens 400 --judge "$judge" --model "$file" --name "$name" --out "$out/$name/safedialbench" >/dev/null
    "$psylite" eval safedialbench --with-agent --as-built-in --max-tokens 400 --judge "$judge" --model "$file" --name "$name+turn" --out "$out/$name/safedialbench-turn" >/dev/null
    "$psylite" eval perplexity --model "$file" --text "$text" --name "$name" --out "$out/$name/perplexity" >/dev/null
    echo "eval-stages: $name done" >&2
done

{
    echo "# The stages, evaluated"
    echo
    echo "Written by \`bench/eval-stages.sh\` on $(date -u +%F). Judge: $judge. Sets: \`eval-sets/\`; 95 % intervals by bootstrap over"
    echo "dialogues, questions or chunks; \`+turn\` is with the whole counselling turn around the model, as around the built-in one."
    echo "Full reports: \`./psylite eval compare\` on the folders of the runs."
    echo
    for benchmark in ceval-official ceval-opencompass-ppl ceval-opencompass-gen cpsycoune cpsycoune-turn safedialbench safedialbench-turn perplexity; do
        echo "## $benchmark"
        echo
        python3 - "$out" "$benchmark" "${names[@]}" <<'PY'
import glob, json, sys
out, benchmark, names = sys.argv[1], sys.argv[2], sys.argv[3:]
runs = [json.load(open(next(p for p in sorted(glob.glob(f"{out}/{n}/{benchmark}/*.json")) if not p.endswith("submission.json")))) for n in names]
figures = [f for f in runs[0]["figures"] if f["estimate"]["units"] > 0]
print("| | " + " | ".join(f["english"] for f in figures) + " |")
print("|---|" + "---|" * len(figures))
for run in runs:
    cells = []
    for f in figures:
        e = next(x for x in run["figures"] if x["id"] == f["id"])["estimate"]
        k, unit = (100, " %") if f["isShare"] else (1, "")
        cells.append(f"{e['value'] * k:.2f}{unit} [{e['low'] * k:.2f}, {e['high'] * k:.2f}]")
    print(f"| {run['manifest']['name']} | " + " | ".join(cells) + " |")
PY
        echo
        if [ ${#names[@]} -gt 1 ]; then
            folders=()
            for name in "${names[@]}"; do folders+=("$out/$name/$benchmark"); done
            echo "Differences to ${names[0]}:"
            echo
            echo '```'
            "$psylite" eval compare "${folders[@]}" --out "$out/compare-$benchmark" | grep -v -e '^注意' -e 'compare.html$'
            echo '```'
            echo
            cp "$out/compare-$benchmark/compare.html" "docs/evaluation/$benchmark.html"
        fi
    done
} >docs/evaluation/README.md.tmp
mv docs/evaluation/README.md.tmp docs/evaluation/README.md
echo "eval-stages: docs/evaluation/README.md" >&2
