package plantest_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
)

// flow is a connection that somebody opens. Places are "internet", or a part of
// the installation by the group that it has.
type flow struct {
	from, to string
	port     int
	passes   bool
}

var flows = []flow{
	{"internet", "balancer", 443, true},
	{"internet", "balancer", 80, true},
	{"internet", "balancer", 22, false},
	{"internet", "machines", 443, false},
	{"internet", "machines", 80, false},
	{"internet", "machines", 22, false},
	{"internet", "machines", 8050, false},
	{"internet", "database", 5432, false},
	{"internet", "file_system", 2049, false},
	{"balancer", "machines", 80, true},
	{"balancer", "machines", 443, true},
	{"balancer", "machines", 22, false},
	{"balancer", "machines", 8050, false},
	{"balancer", "database", 5432, false},
	{"balancer", "file_system", 2049, false},
	{"balancer", "internet", 443, false},
	{"machines", "database", 5432, true},
	{"machines", "database", 22, false},
	{"machines", "file_system", 2049, true},
	{"machines", "internet", 443, true},
	{"machines", "internet", 80, true},
	{"machines", "internet", 25, false},
	{"machines", "internet", 22, false},
	{"machines", "machines", 443, false},
	{"database", "internet", 443, false},
	{"database", "machines", 443, false},
	{"file_system", "internet", 443, false},
}

// Routes, groups and network ACLs in both directions, of applied resources. IDs
// are known only then; a plan has the same values without them.
func TestConnectionsPassWhereTheyShouldAndNowhereElse(t *testing.T) {
	t.Parallel()
	f := installed(t)
	f.Must("apply", "-no-color", "-input=false", "-auto-approve")
	var state struct {
		Values values `json:"values"`
	}
	if err := json.Unmarshal([]byte(f.Must("show", "-json")), &state); err != nil {
		t.Fatal(err)
	}
	n := network{state.Values.resources()}
	for _, w := range flows {
		if got := n.passes(w.from, w.to, w.port); got != w.passes {
			t.Errorf("%s to %s port %d: passes is %t", w.from, w.to, w.port, got)
		}
	}
}

// network has the applied resources with all their values.
type network struct{ resources []resource }

// all returns the values of all resources of a type.
func (n network) all(kind string) (matches []map[string]any) {
	for _, r := range n.resources {
		if r.Type == kind && r.Mode == "managed" {
			matches = append(matches, r.Values)
		}
	}
	return matches
}

// at returns the values of the resource with that address.
func (n network) at(address string) map[string]any {
	for _, r := range n.resources {
		if r.Address == address {
			return r.Values
		}
	}
	return nil
}

// group returns the id of a part's security group, and its first subnet.
func (n network) place(part string) (group, subnet string) {
	address, kind := "aws_security_group."+part, "public"
	if part == "database" || part == "file_system" {
		address, kind = address+"[0]", "private"
	}
	return n.at(address)["id"].(string), n.at("aws_subnet." + kind + "[0]")["id"].(string)
}

var outside = netip.MustParseAddr("203.0.113.9")

// passes reports whether from can open a connection to that port of to and be answered.
func (n network) passes(from, to string, port int) bool {
	const back = 40000 // a port as clients choose them
	source, target := outside, outside
	var fromGroup, fromSubnet, toGroup, toSubnet string
	if from != "internet" {
		fromGroup, fromSubnet = n.place(from)
		source = n.host(fromSubnet, 10)
	}
	if to != "internet" {
		toGroup, toSubnet = n.place(to)
		target = n.host(toSubnet, 20)
	}
	if from != "internet" {
		if !n.grouped("egress", fromGroup, toGroup, target, port) || !n.listed(fromSubnet, true, target, port) || !n.listed(fromSubnet, false, target, back) {
			return false
		}
	}
	if to != "internet" {
		if !n.grouped("ingress", toGroup, fromGroup, source, port) || !n.listed(toSubnet, false, source, port) || !n.listed(toSubnet, true, source, back) {
			return false
		}
	}
	if from == "internet" {
		return n.leadsOut(toSubnet)
	}
	return to != "internet" || n.leadsOut(fromSubnet)
}

// host is an address in a subnet.
func (n network) host(subnet string, last byte) netip.Addr {
	for _, s := range n.all("aws_subnet") {
		if s["id"] == subnet {
			b := netip.MustParsePrefix(s["cidr_block"].(string)).Addr().As4()
			b[3] = last
			return netip.AddrFrom4(b)
		}
	}
	return outside
}

// grouped reports whether a rule of the group lets a connection with the other pass.
func (n network) grouped(direction, group, otherGroup string, other netip.Addr, port int) bool {
	return slices.ContainsFunc(n.all("aws_vpc_security_group_"+direction+"_rule"), func(r map[string]any) bool {
		if r["security_group_id"] != group || !covers(r, port) || (r["ip_protocol"] != "tcp" && r["ip_protocol"] != "-1") {
			return false
		}
		if referenced, _ := r["referenced_security_group_id"].(string); referenced != "" {
			return referenced == otherGroup
		}
		cidr, _ := r["cidr_ipv4"].(string)
		return cidr != "" && netip.MustParsePrefix(cidr).Contains(other)
	})
}

// listed reports whether the subnet's list lets packets to or from that port
// pass: the rule with the lowest number that fits decides.
func (n network) listed(subnet string, out bool, other netip.Addr, port int) bool {
	var list any
	for _, acl := range n.all("aws_network_acl") {
		if slices.Contains(acl["subnet_ids"].([]any), any(subnet)) {
			list = acl["id"]
		}
	}
	rules := n.all("aws_network_acl_rule")
	slices.SortFunc(rules, func(a, b map[string]any) int {
		return int(a["rule_number"].(float64)) - int(b["rule_number"].(float64))
	})
	for _, r := range rules {
		egress, _ := r["egress"].(bool)
		fits := r["protocol"] == "-1" || r["protocol"] == "tcp" && covers(r, port)
		if r["network_acl_id"] == list && egress == out && fits && netip.MustParsePrefix(r["cidr_block"].(string)).Contains(other) {
			return r["rule_action"] == "allow"
		}
	}
	return false
}

// covers reports whether a rule is of that port.
func covers(rule map[string]any, port int) bool {
	from, _ := rule["from_port"].(float64)
	to, _ := rule["to_port"].(float64)
	return int(from) <= port && port <= int(to)
}

// leadsOut reports whether the subnet's route table leads to the internet.
func (n network) leadsOut(subnet string) bool {
	for _, association := range n.all("aws_route_table_association") {
		if association["subnet_id"] != subnet {
			continue
		}
		return slices.ContainsFunc(n.all("aws_route"), func(r map[string]any) bool {
			gateway, _ := r["gateway_id"].(string)
			return r["route_table_id"] == association["route_table_id"] && r["destination_cidr_block"] == "0.0.0.0/0" && gateway != ""
		})
	}
	return false
}
