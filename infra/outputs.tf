output "page" {
  description = "The page; log in with the admin token."
  value       = "https://${local.page_domain}"
}

output "api" {
  description = "The API for programs; the page's name answers it too."
  value       = "https://${local.api_domain}"
}

output "name_servers" {
  description = "What the domain has to be delegated to, if the zone was made here."
  value       = flatten(aws_route53_zone.made[*].name_servers)
}

output "log_group" {
  description = "Where logs are: aws logs tail --follow <this>"
  value       = aws_cloudwatch_log_group.log.name
}

output "machines" {
  description = "The auto scaling group: aws autoscaling describe-instance-refreshes --auto-scaling-group-name <this>"
  value       = aws_autoscaling_group.machines.name
}

output "database" {
  description = "The database's address; empty if it is one that existed."
  value       = join("", aws_db_instance.database[*].address)
}

output "dashboard" {
  description = "The dashboard with all alarms."
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${var.name}"
}
