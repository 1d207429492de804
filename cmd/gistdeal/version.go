package main

import (
	"fmt"
	"os"
	"runtime"
)

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	_, err := fmt.Fprintln(os.Stdout, versionText())
	return err
}

// versionText is the version of the program and its platform.
func versionText() string {
	return fmt.Sprintf("gistdeal %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
