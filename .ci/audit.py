"""
Tells which known weaknesses (osv.dev, by way of pip-audit) what is installed here has.

    tox -e audit

Skipped, with the reason, where they cannot be asked for. Exit status 1: there are some.
"""

import json
import subprocess
import sys

_COMMAND = ("-m", "pip_audit", "--local", "--format", "json", "--progress-spinner", "off")


def main() -> int:
    """Ask, and tell."""
    done = subprocess.run([sys.executable, *_COMMAND], capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        print(f"skipped: {(done.stderr.strip().splitlines() or ['pip-audit said nothing'])[-1]}")
        return 0
    unknown = [each for each in packages if "skip_reason" in each]
    if len(unknown) == len(packages):
        print(f"skipped: none of {len(packages)} packages could be asked about: {unknown[0]['skip_reason']}")
        return 0
    weak = [(each, found) for each in packages for found in each.get("vulns", ())]
    for each, found in weak:
        mended = ", ".join(found["fix_versions"]) or "no version yet"
        print(f"{each['name']} {each['version']}: {found['id']}, mended in {mended}")
    for each in unknown:
        print(f"not asked about: {each['name']}: {each['skip_reason']}")
    print(f"{len(packages) - len(unknown)} packages, {len(weak)} known weaknesses")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
