# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Take a kernel for the guest out of the distribution's own package, without installing it."""

import dataclasses
import gzip
import lzma
import pathlib
import shutil
from collections.abc import Sequence

from .. import process
from ..errors import LabError, MissingError

# In the order in which they must be loaded; a kernel may have any of them built in.
MODULES = (
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "virtio_blk",
)
_METAPACKAGES = ("linux-image-cloud-amd64", "linux-image-virtual", "linux-image-generic")
"""Debian's name, then Ubuntu's: small kernels for virtual machines first."""

# The package lands in a directory of root's, where apt's own user may not write.
_DOWNLOAD = ("apt-get", "--option=APT::Sandbox::User=root", "download")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kernel:
    """A kernel image, and the modules without which it sees no disk."""

    image: pathlib.Path
    modules: dict[str, bytes]


def busybox() -> str:
    """Return the path of the statically linked busybox."""
    found = shutil.which("busybox")
    if found is None:
        raise MissingError("busybox", reason="no such command")
    return found


def fetch(place: pathlib.Path, *, modules: Sequence[str] = MODULES) -> Kernel:
    """Download the newest kernel packages to *place* and take out what a guest needs."""
    place.mkdir(parents=True)
    tree = place / "tree"
    for package in _packages():
        process.run([*_DOWNLOAD, package], cwd=place, within_s=300)
    for archive in place.glob("*.deb"):
        process.run(["dpkg-deb", "--extract", archive, tree])
    images = sorted(tree.glob("boot/vmlinuz-*"))
    if not images:
        raise LabError("the kernel packages hold no /boot/vmlinuz; run `apt-get update`")
    release = images[-1].name.removeprefix("vmlinuz-")
    libraries = [path for path in tree.glob(f"**/lib/modules/{release}") if path.is_dir()]
    return Kernel(image=images[-1], modules=_find_modules(libraries, modules, release=release))


def _packages() -> list[str]:
    """Return the packages behind the first metapackage that this distribution has."""
    found = _known_packages()
    if not found:  # a fresh machine may have no package lists yet
        process.run(["apt-get", "update", "-q"], within_s=300)
        found = _known_packages()
    if not found:
        raise LabError(
            f"apt knows none of {', '.join(_METAPACKAGES)}; check /etc/apt and try again"
        )
    return found


def _known_packages() -> list[str]:
    for metapackage in _METAPACKAGES:
        answer = process.run(["apt-cache", "depends", metapackage], check=False).stdout
        images = _depends(answer, prefixes=("linux-image-",))
        if images:
            image = images[0]
            modules = process.run(["apt-cache", "depends", image]).stdout
            return [image, *_depends(modules, prefixes=("linux-modules-",))]
    return []


def _depends(answer: str, *, prefixes: tuple[str, ...]) -> list[str]:
    """Return the packages that ``apt-cache depends`` names, as far as they begin so."""
    words = (line.split() for line in answer.splitlines())
    names = [word[1] for word in words if len(word) == 2 and word[0] == "Depends:"]
    return [name for name in names if name.startswith(prefixes)]


def _find_modules(
    libraries: list[pathlib.Path], wanted: Sequence[str], *, release: str
) -> dict[str, bytes]:
    builtin: set[str] = set()
    files: dict[str, pathlib.Path] = {}
    for library in libraries:
        listing = library / "modules.builtin"
        if listing.exists():
            builtin |= {_name(pathlib.PurePath(line)) for line in listing.read_text().split()}
        files |= {_name(file): file for file in library.rglob("*.ko*")}
    found = {name: _content(files[name]) for name in wanted if name in files}
    for essential in ("virtio_pci", "virtio_blk"):
        if essential not in found and essential not in builtin:
            raise LabError(f"kernel {release} has no {essential}; the guest could see no disk")
    return found


def _name(file: pathlib.PurePath) -> str:
    return file.name.partition(".ko")[0].replace("-", "_")


def _content(file: pathlib.Path) -> bytes:
    match file.suffix:
        case ".gz":
            return gzip.decompress(file.read_bytes())
        case ".xz":
            return lzma.decompress(file.read_bytes())
        case ".zst":
            process.run(["zstd", "--decompress", "--quiet", "--force", file])
            return file.with_suffix("").read_bytes()
        case _:
            return file.read_bytes()
