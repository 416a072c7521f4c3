"""Make the scripts of others that the site carries, `src/tianti/web/static/vendor/`, from their pinned packages.

    .venv/bin/python scripts/vendor.py             fetch, check against the lock, bundle, write
    .venv/bin/python scripts/vendor.py --check     the same, but only say whether what lies there is what comes out

A new one is an entry file `scripts/vendor/NAME.mjs`, a line in BUNDLES, and its packages in PACKAGES. Needs the public
npm registry and Linux on x86-64, for the bundler is a binary; no Node. Users of tianti never run it: what it makes is
committed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
VENDOR = HERE.parent / "src/tianti/web/static/vendor"
LOCK = VENDOR / "vendor.lock.json"


class Package(NamedTuple):
    """A package of the npm registry: version, sha512 of its tarball as npm writes it, licence, file of its licence."""

    version: str
    integrity: str
    licence: str
    licence_file: str = "LICENSE"


PACKAGES = {
    "@esbuild/linux-x64": Package(
        "0.28.2",
        "sha512-4xTZr1FUmSoQW4XIWmit3tzQrUTZM+N3P0XV8xROKYF50XfI7xeO90+1bZvNwxIufQ9hDQVRJH5YhgPVF8A/HQ==",
        "MIT",
        "",  # a tool, of which nothing is carried
    ),
    "echarts": Package(
        "6.1.0",
        "sha512-q0yaFPggC9FUdsWH4blavRWFmxdrIodbkoKNAjJudAI6CA9gNPxHtV2RcZNEepZVlk4yvBYkOkbk6HIVpIyHZA==",
        "Apache-2.0",
    ),
    "hyparquet": Package(
        "1.31.5",
        "sha512-KPVfaxW8xOiO2/4fjeiBfFNEXhGVw9tfcb9ha2iNZdJ3J/yBjEwIeAnTyyuhllFFTb9YO9wg0DfRAOnm6KCvBg==",
        "MIT",
    ),
    "hyparquet-writer": Package(
        "0.17.0",
        "sha512-GZ4QeopztjSli/Sz1dSOP/TrSKtwG2ydP2yuPMxeiZnho+PCXF7x+wx8OIVtpQn8rcv559IH1EJMHnTbv0sn+Q==",
        "MIT",
    ),
    "tslib": Package(
        "2.3.0",
        "sha512-N82ooyxVNm6h1riLCoyS9e3fuJ3AMG2zIZs2Gd1ATcSFjSA23Q0fzjjZeh0jbJvWVDZ0cJT8yaNNaaXHzueNjg==",
        "0BSD",
        "LICENSE.txt",
    ),
    "zrender": Package(
        "6.1.0",
        "sha512-oEGMDB6pOP2S6OwRR4PdVv610zrjnA3Bh+JnSG12fYJlBKjtNAoEb5fSUoCOOINlH96I2fU38/A2UpRKs67xYQ==",
        "BSD-3-Clause",
    ),
}
BUNDLES = {
    "echarts.js": ("echarts", "zrender", "tslib"),
    "parquet.js": ("hyparquet-writer", "hyparquet"),
}
"""The packages that each file is made of; its entry file is `scripts/vendor/` NAME.mjs."""


def tarball(name: str) -> str:
    """The address of a package on the public registry."""
    return f"https://registry.npmjs.org/{name}/-/{name.rpartition('/')[2]}-{PACKAGES[name].version}.tgz"


def unpack(name: str, folder: Path) -> Path:
    """Fetch a package into `folder`/node_modules, and check what came."""
    with urllib.request.urlopen(tarball(name), timeout=120) as response:
        content = response.read()
    found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != PACKAGES[name].integrity:
        raise SystemExit(f"{name}: the tarball has {found}, expected {PACKAGES[name].integrity}")
    target = folder / "node_modules" / name
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder / "unpacked" / name, filter="data")
    target.parent.mkdir(parents=True, exist_ok=True)
    (folder / "unpacked" / name / "package").rename(target)
    return target


def make(folder: Path) -> dict[str, bytes]:
    """The content of every file of VENDOR, by its name."""
    homes = {name: unpack(name, folder) for name in PACKAGES}
    files: dict[str, bytes] = {}
    for output, packages in BUNDLES.items():
        entry = folder / Path(output).with_suffix(".mjs").name
        entry.write_bytes((HERE / "vendor" / entry.name).read_bytes())
        banner = ", ".join(f"{name} {PACKAGES[name].version} ({PACKAGES[name].licence})" for name in packages)
        subprocess.run(
            [
                homes["@esbuild/linux-x64"] / "bin/esbuild", entry, "--bundle", "--minify", "--format=esm",
                "--target=es2022", "--legal-comments=none", "--log-level=warning",
                f"--banner:js=/* {banner}: see LICENSES/ */", f"--outfile={folder / 'out' / output}",
            ],
            check=True,
            cwd=folder,
        )  # fmt: skip
        files[output] = (folder / "out" / output).read_bytes()
    for name, package in PACKAGES.items():
        if package.licence_file:
            files[f"LICENSES/{name.replace('/', '-')}.txt"] = (
                homes[name] / package.licence_file
            ).read_bytes()
    if (notice := homes["echarts"] / "NOTICE").is_file():
        files["LICENSES/echarts.NOTICE.txt"] = notice.read_bytes()
    return files | {LOCK.name: lock(files)}


def lock(files: dict[str, bytes]) -> bytes:
    """What was made of what."""
    content = {
        "packages": {
            name: {
                "version": package.version,
                "tarball": tarball(name),
                "integrity": package.integrity,
                "licence": package.licence,
            }
            for name, package in sorted(PACKAGES.items())
        },
        "files": {
            output: {"packages": list(packages), "sha256": hashlib.sha256(files[output]).hexdigest()}
            for output, packages in sorted(BUNDLES.items())
        },
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def main() -> None:
    """Make the files, and write them or compare them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        files = make(Path(folder))
    for name, content in files.items():
        path = VENDOR / name
        same = path.is_file() and path.read_bytes() == content
        print(f"{'same' if same else 'differs' if check else 'written'}  {name}  {len(content):,} bytes")
        if check and not same:
            raise SystemExit(1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
