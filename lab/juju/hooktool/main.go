// SPDX-FileCopyrightText: 2026 The instance-recovery authors
// SPDX-License-Identifier: Apache-2.0

// Every hook tool of the lab: linked under each tool's name, it asks the unit agent over a socket.
// A hook makes 10 to 30 of these calls, so it is compiled.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

type request struct {
	Context   string `json:"context"`
	Tool      string `json:"tool"`
	Arguments []any  `json:"arguments"`
	Input     string `json:"input"`
}

type answer struct {
	Code   int    `json:"code"`
	Output string `json:"output"`
	Errors string `json:"errors"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR", err)
		os.Exit(1)
	}
}

// arguments returns the words; KEY#file=PATH is read here, where the charm's files are.
func arguments() (words []any, wantsInput bool) {
	words = []any{}
	for _, word := range os.Args[1:] {
		if key, path, found := strings.Cut(word, "#file="); found {
			content, err := os.ReadFile(path)
			check(err)
			words = append(words, []string{key, string(content)})
			continue
		}
		wantsInput = wantsInput || word == "--file"
		words = append(words, word)
	}
	return words, wantsInput
}

func main() {
	asked := request{Context: os.Getenv("JUJU_CONTEXT_ID"), Tool: filepath.Base(os.Args[0])}
	var wantsInput bool
	asked.Arguments, wantsInput = arguments()
	if wantsInput {
		content, err := io.ReadAll(os.Stdin)
		check(err)
		asked.Input = string(content)
	}
	agent, err := net.Dial("unix", os.Getenv("JUJU_AGENT_SOCKET_ADDRESS"))
	check(err)
	check(json.NewEncoder(agent).Encode(asked))
	var said answer
	check(json.NewDecoder(agent).Decode(&said))
	os.Stdout.WriteString(said.Output)
	os.Stderr.WriteString(said.Errors)
	os.Exit(said.Code)
}
