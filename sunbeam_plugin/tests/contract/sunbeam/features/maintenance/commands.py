# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import click


@click.command()
@click.argument("node")
@click.option("--dry-run", is_flag=True)
def enable(cls, node, dry_run): ...


@click.command()
@click.argument("node")
@click.option("--dry-run", is_flag=True)
def disable(cls, node, dry_run): ...
