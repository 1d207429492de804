// Command issuer runs an OpenID Connect provider of zitadel/oidc on a loopback address. It
// prints its address. Its one argument is the redirect URI of the client "web".
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// groups are the groups of the users, by their id.
var groups = map[string][]string{"ann-1": {"sales"}}

// users are the people with a password.
type users map[string]*storage.User

func (u users) GetUserByID(id string) *storage.User { return u[id] }

func (u users) GetUserByUsername(name string) *storage.User {
	for _, one := range u {
		if one.Username == name {
			return one
		}
	}
	return nil
}

func (users) ExampleClientID() string { return storage.ServiceUserID }

// store adds the groups to the answers about people.
type store struct{ *storage.Storage }

func (s store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	if err := s.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin); err != nil {
		return err
	}
	info.AppendClaims("groups", groups[subject])
	return nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address := "http://" + listener.Addr().String()
	storage.RegisterClients(storage.WebClient("web", "secret-web", os.Args[1]))
	people := users{
		"ann-1": {ID: "ann-1", Username: "ann", Password: "annpass", Email: "ann@example.com", EmailVerified: true},
		"bob-1": {ID: "bob-1", Username: "bob", Password: "bobpass", Email: "bob@example.com", EmailVerified: true},
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	handler := exampleop.SetupServer(address, store{storage.NewStorage(people)}, log, false)
	fmt.Println(address)
	panic(http.Serve(listener, handler))
}
