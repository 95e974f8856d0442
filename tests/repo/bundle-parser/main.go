// SPDX-FileCopyrightText: 2026 The instance-recovery authors
// SPDX-License-Identifier: Apache-2.0

// Command bundle-parser reads a bundle and its overlays with Juju's own parser, and prints as JSON what
// Juju would deploy, or ends with Juju's words for what is wrong.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/juju/charm/v12"
)

func main() {
	var sources []charm.BundleDataSource
	for _, path := range os.Args[1:] {
		source, err := charm.LocalBundleDataSource(path)
		end(err)
		sources = append(sources, source)
	}
	merged, err := charm.ReadAndMergeBundleData(sources...)
	end(err)
	end(merged.Verify(nil, nil, nil))
	end(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"applications": merged.Applications,
		"saas":         merged.Saas,
		"relations":    merged.Relations,
	}))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
