// SPDX-FileCopyrightText: 2026 The instance-recovery authors
// SPDX-License-Identifier: Apache-2.0

// Tells whether Loki understands what it would be asked: one expression a line on standard input.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/grafana/loki/v3/pkg/logql/syntax"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if _, err := syntax.ParseExpr(lines.Text()); err != nil {
			fmt.Printf("%s\n  %s\n", lines.Text(), err)
			os.Exit(1)
		}
	}
}
