#!/usr/bin/env bash
# Checks the Python code in training/ with ruff and mypy in the versions that training/pyproject.toml pins. Needs Python 3.11 or newer
# with venv. The virtual environment is kept in .venv/check-training and reused while the versions stay the same.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3} venv=.venv/check-training

pins=$("$python" - <<'PY'
import tomllib
with open("training/pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["project"]["optional-dependencies"]["dev"])
PY
)
if [ "$(cat "$venv/pins" 2>/dev/null)" != "$pins" ]; then
  rm -rf "$venv"
  "$python" -m venv "$venv"
  # shellcheck disable=SC2086 # one word for each package
  "$venv/bin/pip" install --quiet --disable-pip-version-check $pins
  echo "$pins" >"$venv/pins"
fi
"$venv/bin/ruff" check training
"$venv/bin/ruff" format --check training
"$venv/bin/mypy" --config-file training/pyproject.toml --cache-dir "$venv/mypy" training
