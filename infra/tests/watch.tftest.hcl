mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "watching" {
  command = plan

  assert {
    condition     = aws_cloudwatch_log_group.log.name == "/gistdeal" && aws_cloudwatch_log_group.log.retention_in_days == 30
    error_message = "Logs are kept for a month."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_log_metric_filter.event)) == toset(["deals-refused", "sweep-on-time", "day-spent"]) && alltrue([for name, f in aws_cloudwatch_log_metric_filter.event : f.log_group_name == aws_cloudwatch_log_group.log.name && f.metric_transformation[0].namespace == "gistdeal" && f.metric_transformation[0].name == name && f.metric_transformation[0].value == "1"])
    error_message = "Filters count the events that alarms are about."
  }

  assert {
    condition     = alltrue([for f in aws_cloudwatch_log_metric_filter.event : f.metric_transformation[0].default_value == null])
    error_message = "Silence is missing, not 0, so that a missing heartbeat is noticed."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.alarm)) == toset(["deals-refused", "sweep-late", "day-spent", "no-machine", "errors-of-machines", "errors-of-balancer", "database-space"])
    error_message = "There is an alarm for all that should not be."
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.alarm : a.alarm_actions == toset([aws_sns_topic.alarms.arn]) && a.ok_actions == toset([aws_sns_topic.alarms.arn]) && coalesce(a.actions_enabled, true)])
    error_message = "Alarms reach a person."
  }

  assert {
    condition     = aws_sns_topic_subscription.alarms.topic_arn == aws_sns_topic.alarms.arn && aws_sns_topic_subscription.alarms.protocol == "email" && aws_sns_topic_subscription.alarms.endpoint == "you@example.com"
    error_message = "That person is named."
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == null || aws_sns_topic.alarms.kms_master_key_id == ""
    error_message = "The topic has no key of Amazon's, with which alarms could not be published."
  }

  assert {
    condition     = alltrue([for event, alarm in { deals-refused = "deals-refused", day-spent = "day-spent" } : aws_cloudwatch_metric_alarm.alarm[alarm].namespace == "gistdeal" && aws_cloudwatch_metric_alarm.alarm[alarm].metric_name == event && aws_cloudwatch_metric_alarm.alarm[alarm].comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.alarm[alarm].threshold == 0 && aws_cloudwatch_metric_alarm.alarm[alarm].treat_missing_data == "notBreaching"])
    error_message = "One refused deal, or one spent day, is an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.alarm["sweep-late"].metric_name == "sweep-on-time" && aws_cloudwatch_metric_alarm.alarm["sweep-late"].namespace == "gistdeal" && aws_cloudwatch_metric_alarm.alarm["sweep-late"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.alarm["sweep-late"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.alarm["sweep-late"].threshold == 1
    error_message = "A missing heartbeat is an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.alarm["no-machine"].metric_name == "HealthyHostCount" && aws_cloudwatch_metric_alarm.alarm["no-machine"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.alarm["no-machine"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.alarm["no-machine"].threshold == 1 && aws_cloudwatch_metric_alarm.alarm["no-machine"].dimensions == tomap({ LoadBalancer = aws_lb.balancer.arn_suffix, TargetGroup = aws_lb_target_group.app.arn_suffix })
    error_message = "No healthy machine is an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.alarm["errors-of-machines"].metric_name == "HTTPCode_Target_5XX_Count" && aws_cloudwatch_metric_alarm.alarm["errors-of-balancer"].metric_name == "HTTPCode_ELB_5XX_Count" && alltrue([for name in ["errors-of-machines", "errors-of-balancer"] : aws_cloudwatch_metric_alarm.alarm[name].dimensions == tomap({ LoadBalancer = aws_lb.balancer.arn_suffix }) && aws_cloudwatch_metric_alarm.alarm[name].comparison_operator == "GreaterThanThreshold"])
    error_message = "Answers of 5xx are an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.alarm["database-space"].metric_name == "FreeStorageSpace" && aws_cloudwatch_metric_alarm.alarm["database-space"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.alarm["database-space"].threshold >= 1073741824 && aws_cloudwatch_metric_alarm.alarm["database-space"].dimensions == tomap({ DBInstanceIdentifier = aws_db_instance.database[0].identifier })
    error_message = "A database that is almost full is an alarm."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.overview.dashboard_body).widgets) == 1 + length(aws_cloudwatch_metric_alarm.alarm)
    error_message = "The dashboard shows what the alarms are about."
  }

  assert {
    condition     = aws_budgets_budget.month.budget_type == "COST" && aws_budgets_budget.month.time_unit == "MONTHLY" && aws_budgets_budget.month.limit_amount == "120" && alltrue([for n in aws_budgets_budget.month.notification : n.comparison_operator == "GREATER_THAN" && n.threshold_type == "PERCENTAGE" && n.threshold <= 100]) && length(aws_budgets_budget.month.notification) == 2 && alltrue([for n in aws_budgets_budget.month.notification : n.subscriber_email_addresses == toset(["you@example.com"])])
    error_message = "Somebody is told before a month gets too expensive."
  }
}
