# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import functools

import click


def click_option_show_hints(func):
    return click.option("--hints/--no-hints", "show_hints", default=True)(func)


def pass_method_obj(f):
    @functools.wraps(f)
    def with_object(self, *args, **params):
        return f(self, click.get_current_context().obj, *args, **params)

    return with_object
