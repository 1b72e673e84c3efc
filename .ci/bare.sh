#!/usr/bin/env bash
# Runs the tests as on a machine with Node and nothing else: no ffmpeg, Python, browser or broker on PATH, no UTF-8 locale.
# Tests that need such a program are skipped and named; all others must pass.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
# Node, npm, a shell and what Debian's "essential" packages always have.
for tool in node npm npx git sh bash env cat cp mv rm mkdir ls ln ps sed grep head tail sleep kill uname dirname basename touch chmod; do
  path=$(command -v "$tool") && ln -s "$path" "$tools/$tool"
done
# The suites that depend on the environment: programs, locale, files of the machine.
suites=(test/e2e/watch.test.ts test/e2e/packages.test.ts test/e2e/library-examples.test.ts test/integration/ingest
  test/integration/service/clips.test.ts test/integration/agent)
env -i PATH="$tools" HOME="$tools" LC_ALL=C CI=true PRESAGE_BARE=1 PRESAGE_CHROMIUM="$tools/none" \
  PRESAGE_TEST_RESULTS=test-results-bare.json npx vitest run "${suites[@]}"
