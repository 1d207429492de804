package offline

import (
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// further has the schemas of resource types that the stand-in does not know, in its
// own form, written after the provider's documentation.
//
//go:embed further.json
var further []byte

// completed copies the stand-in into a folder, adds the further schemas, and returns
// the copy's script.
func completed(to string) (script string, err error) {
	if err := os.CopyFS(to, os.DirFS(filepath.Dir(setup()))); err != nil {
		return "", err
	}
	name := filepath.Join(to, "schema/aws.json.gz")
	document, err := unpacked(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	var types map[string]any
	if err := json.Unmarshal(further, &types); err != nil {
		return "", err
	}
	for _, provider := range document["provider_schemas"].(map[string]any) { //nolint:forcetypeassert // The form of `terraform providers schema`.
		known := provider.(map[string]any)["resource_schemas"].(map[string]any) //nolint:forcetypeassert // As above.
		for kind, schema := range types {
			if known[kind] != nil {
				return "", fmt.Errorf("the stand-in knows %s itself: take it out of further.json", kind)
			}
			known[kind] = schema
		}
	}
	return filepath.Join(to, filepath.Base(setup())), packed(name, document)
}

func unpacked(name string) (document map[string]any, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return document, json.NewDecoder(reader).Decode(&document)
}

// packed replaces a file: the copies of the stand-in's are read-only.
func packed(name string, document map[string]any) error {
	if err := os.Remove(name); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	writer := gzip.NewWriter(file)
	if err := json.NewEncoder(writer).Encode(document); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return file.Close()
}
