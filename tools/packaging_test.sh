#!/usr/bin/env bash
# The files of packaging/ by the tools that read them. A tool that is not installed is named, and passed over.
set -euo pipefail
cd "$(dirname "$0")/../packaging"

# with TOOL COMMAND...
with() {
  local tool=$1
  shift
  if command -v "$tool" >/dev/null; then "$tool" "$@"; else echo "NOT RUN: $tool is not installed"; fi
}

for script in postinst prerm postrm podium-retrain; do sh -n "$script"; done
python3 -m json.tool grafana.json >/dev/null
for unit in podium.service podium-train.service; do
  with systemd-analyze security --offline=yes --threshold=20 "$unit" | tail -n 1  # tenths: 2.0
done
with systemd-analyze calendar "$(sed -n "s|^OnCalendar=||p" podium-train.timer)" >/dev/null
with promtool check rules alerts.yml
with promtool test rules alerts_test.yml
echo passed
