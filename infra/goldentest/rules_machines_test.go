package goldentest

import (
	"fmt"
	"regexp"
	"strings"
)

// imageSnapshot is the size of the snapshot of Canonical's image of Ubuntu 24.04
// in GiB, and of that of the seed (aws ec2 describe-images, 2026-09).
const imageSnapshot = 8

// postgres has the major versions that RDS offered in November 2026 under standard
// support, with its end: AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html.
// An older one costs several times as much.
var postgres = map[string]string{"14": "2027-02-28", "15": "2028-02-29", "16": "2029-02-28", "17": "2030-02-28", "18": "2031-02-28"}

// supportedUntil is a year after the day when the table above was read: an engine
// whose support ends before it is due for another.
const supportedUntil = "2027-11-30"

// rulesOfMachines are those of machines, their group, database and user data.
func rulesOfMachines() []rule {
	return []rule{
		{
			"a disk is no smaller than its image's snapshot", "AWSEC2/latest/APIReference/API_EbsBlockDevice.html",
			all("aws_launch_template", func(r resource) string {
				if size := r.number("block_device_mappings.0.ebs.0.volume_size", 0); size < imageSnapshot {
					return fmt.Sprint("has a disk of ", size, " GiB")
				}
				if r.text("block_device_mappings.0.device_name") != "/dev/sda1" {
					return "adds a disk to that of the image, whose name is /dev/sda1"
				}
				return within("block_device_mappings.0.ebs.0.volume_size", 1, 16384)(r)
			}),
			[]change{
				{"aws_launch_template.machine", "block_device_mappings.0.ebs.0.volume_size", 4.0},
				{"aws_launch_template.machine", "block_device_mappings.0.device_name", "/dev/xvda"},
			},
		},
		{
			"the metadata service answers machines", "AWSEC2/latest/APIReference/API_LaunchTemplateInstanceMetadataOptionsRequest.html",
			all("aws_launch_template", func(r resource) string {
				if r.text("metadata_options.0.http_endpoint") == "disabled" {
					return "has none: the script has no credentials"
				}
				return within("metadata_options.0.http_put_response_hop_limit", 1, 64)(r)
			}),
			[]change{{"aws_launch_template.machine", "metadata_options.0.http_endpoint", "disabled"}, {"aws_launch_template.machine", "metadata_options.0.http_put_response_hop_limit", 65.0}},
		},
		{
			"a template has either groups or interfaces", "AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html",
			all("aws_launch_template", func(r resource) string {
				if r.at("network_interfaces") != nil && r.at("vpc_security_group_ids") != nil {
					return "has both"
				}
				return ""
			}),
			[]change{{"aws_launch_template.machine", "network_interfaces", []any{map[string]any{"associate_public_ip_address": "true"}}}},
		},
		{
			"sizes of a group of machines", "autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
			all("aws_autoscaling_group", func(r resource) string {
				least, desired, most := r.number("min_size", 0), r.number("desired_capacity", 0), r.number("max_size", 0)
				if least < 1 || least > desired || desired > most {
					return fmt.Sprint("has ", least, " to ", most, " machines, at first ", desired)
				}
				return ""
			}),
			[]change{{"aws_autoscaling_group.machines", "min_size", 4.0}, {"aws_autoscaling_group.machines", "max_size", 1.0}},
		},
		{
			"a refresh adds a machine before it ends one", "autoscaling/ec2/APIReference/API_RefreshPreferences.html",
			all("aws_autoscaling_group", first(
				within("instance_refresh.0.preferences.0.min_healthy_percentage", 0, 100),
				within("instance_refresh.0.preferences.0.max_healthy_percentage", 100, 200),
				func(r resource) string {
					least, most := r.number("instance_refresh.0.preferences.0.min_healthy_percentage", 90), r.number("instance_refresh.0.preferences.0.max_healthy_percentage", 100)
					if least >= most || most-least > 100 {
						return fmt.Sprintf("keeps %v to %v %% of its machines", least, most)
					}
					return ""
				})),
			[]change{
				{"aws_autoscaling_group.machines", "instance_refresh.0.preferences.0.max_healthy_percentage", 100.0},
				{"aws_autoscaling_group.machines", "instance_refresh.0.preferences.0.max_healthy_percentage", 250.0},
			},
		},
		{
			"a group follows its template and replaces sick machines", "autoscaling/ec2/userguide/as-suspend-resume-processes.html",
			all("aws_autoscaling_group", func(r resource) string {
				if r.at("suspended_processes") != nil {
					return fmt.Sprint("has suspended ", r.at("suspended_processes"))
				}
				if r.text("health_check_type") != "ELB" || strings.HasPrefix(r.text("launch_template.0.version"), "$") {
					return "does not notice a sick machine or a new template"
				}
				return ""
			}),
			[]change{{"aws_autoscaling_group.machines", "suspended_processes", []any{"ReplaceUnhealthy"}}, {"aws_autoscaling_group.machines", "launch_template.0.version", "$Latest"}},
		},
		{
			"an apply waits as long as a machine takes", "a first boot takes 4 to 8 minutes, and the first machines are asked twice",
			all("aws_autoscaling_group", func(r resource) string {
				minutes := regexp.MustCompile(`^(\d+)m$`).FindStringSubmatch(r.text("wait_for_capacity_timeout"))
				if minutes == nil || len(minutes[1]) < 2 {
					return "gives up after " + r.text("wait_for_capacity_timeout")
				}
				return within("health_check_grace_period", 480, 1800)(r)
			}),
			[]change{{"aws_autoscaling_group.machines", "wait_for_capacity_timeout", "2m"}, {"aws_autoscaling_group.machines", "health_check_grace_period", 60.0}},
		},
		{
			"a database's engine is supported", "AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html",
			all("aws_db_instance", func(r resource) string {
				major, _, _ := strings.Cut(r.text("engine_version"), ".")
				if end := postgres[major]; r.text("engine") != "postgres" || end < supportedUntil {
					return fmt.Sprintf("is %s %s, whose support ends %q", r.text("engine"), r.text("engine_version"), end)
				}
				return ""
			}),
			[]change{{"aws_db_instance.database[0]", "engine_version", "12"}, {"aws_db_instance.database[0]", "engine_version", "14.9"}, {"aws_db_instance.database[0]", "engine", "mysql"}},
		},
		{
			"a database's storage", "AmazonRDS/latest/UserGuide/CHAP_Storage.html",
			all("aws_db_instance", first(within("allocated_storage", 20, 65536), within("backup_retention_period", 0, 35), func(r resource) string {
				if kind := r.text("storage_type"); kind != "gp3" {
					return "has a disk of type " + kind + ", which needs more arguments or costs more"
				}
				if r.at("iops") != nil && r.number("allocated_storage", 0) < 400 {
					return "has a gp3 disk below 400 GiB with a number of operations"
				}
				if most := r.number("max_allocated_storage", 1e9); most < 1.26*r.number("allocated_storage", 0) {
					return "can grow by less than 26 %"
				}
				return ""
			})),
			[]change{
				{"aws_db_instance.database[0]", "allocated_storage", 10.0},
				{"aws_db_instance.database[0]", "max_allocated_storage", 21.0},
				{"aws_db_instance.database[0]", "storage_type", "io1"},
				{"aws_db_instance.database[0]", "iops", 3000.0},
				{"aws_db_instance.database[0]", "backup_retention_period", 36.0},
			},
		},
		{
			"a database listens where its machines ask", "groups.tf opens 5432",
			all("aws_db_instance", func(r resource) string {
				if port := r.number("port", 5432); port != 5432 {
					return fmt.Sprint("listens at ", port)
				}
				return ""
			}),
			[]change{{"aws_db_instance.database[0]", "port", 5433.0}},
		},
	}
}
