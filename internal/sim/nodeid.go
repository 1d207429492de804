package sim

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// nodeID returns an id in the older of GitHub's two formats, as in recorded
// responses: "MDQ6VXNlcjE=" is "04:User1".
func nodeID(kind string, id any) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "0%d:%s%v", len(kind), kind, id))
}

// nextNodeID returns the id of an account in the newer format, "U_kgDOAAAAAQ". The
// bytes are MessagePack: a list of zero and the id.
func nextNodeID(kind string, id int64) string {
	return kind[:1] + "_" + base64.RawURLEncoding.EncodeToString(appendID([]byte{0x92, 0}, id))
}

// nextGistNodeID returns the id of a gist in the newer format: a list of zero, the id
// of the owner and the id of the gist.
func nextGistNodeID(owner int64, id string) string {
	b := appendID([]byte{0x93, 0}, owner)
	b = binary.BigEndian.AppendUint16(append(b, 0xda), uint16(len(id))) //nolint:gosec // an id is short
	return "G_" + base64.RawURLEncoding.EncodeToString(append(b, id...))
}

func appendID(b []byte, id int64) []byte {
	return binary.BigEndian.AppendUint32(append(b, 0xce), uint32(id)) //nolint:gosec // ids of the simulator are smaller
}

// node returns the account or gist with a node id in either format; both are nil if
// there is none.
func (h *gitHub) node(id string) (*account, *ownedGist) {
	kind, name := readNodeID(id)
	switch kind {
	case "User", "Organization":
		number, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return nil, nil
		}
		if a := h.byID(number); a != nil && !a.suspended {
			return a, nil
		}
	case "Gist":
		if p := h.gistByID(name); p != nil && !p.owner.suspended {
			return nil, p
		}
	}
	return nil, nil
}

// readNodeID returns the kind and id of an object, "" if the text is no node id.
func readNodeID(text string) (kind, id string) {
	if prefix, rest, ok := strings.Cut(text, "_"); ok {
		return readNextID(prefix, rest)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", ""
	}
	length, rest, _ := strings.Cut(string(b), ":")
	n, err := strconv.Atoi(length)
	if err != nil || n < 1 || n > len(rest) {
		return "", ""
	}
	return rest[:n], rest[n:]
}

func readNextID(prefix, text string) (kind, id string) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	kind = map[string]string{"U": "User", "O": "Organization", "G": "Gist"}[prefix]
	switch {
	case err != nil || len(b) < 7:
		return "", ""
	case kind == "Gist" && len(b) > 10:
		return kind, string(b[10:])
	}
	return kind, strconv.FormatInt(int64(binary.BigEndian.Uint32(b[3:7])), 10)
}
