# Alarms for operators. Filters count named events of the program's log;
# docs/operations.md explains each event and the response to it.

#tfsec:ignore:aws-cloudwatch-log-group-customer-key -- logs hold no secrets, and are encrypted with Amazon's key
resource "aws_cloudwatch_log_group" "log" {
  name              = "/${var.name}"
  retention_in_days = var.log_days

  tags = local.tags
}

locals {
  events = {
    deals-refused = "{ $.msg = \"deal refused\" }"
    sweep-on-time = "{ $.msg = \"sweep on time\" }"
    day-spent     = "{ $.msg = \"backoff started\" && $.remote = \"Pipedrive\" && $.spent IS TRUE }"
  }

  # Alarms on metrics of AWS and of the filters above. Missing data is a fault where
  # data must arrive, and fine where none should.
  alarms = merge({
    deals-refused = {
      text      = "Pipedrive refused a deal for itself: gistdeal deals list --state failed says why."
      namespace = var.name, metric = "deals-refused", statistic = "Sum", dimensions = {}
      period    = 300, periods = 1, compare = "GreaterThanThreshold", threshold = 0, missing = "notBreaching"
    }
    sweep-late = {
      text      = "For two hours there were always users due, or no machine was at work: gistdeal limits and gistdeal doctor tell why."
      namespace = var.name, metric = "sweep-on-time", statistic = "Sum", dimensions = {}
      period    = 900, periods = 8, compare = "LessThanThreshold", threshold = 1, missing = "breaching"
    }
    day-spent = {
      text      = "The day's Pipedrive budget is spent: deals wait until midnight UTC. gistdeal limits shows it."
      namespace = var.name, metric = "day-spent", statistic = "Sum", dimensions = {}
      period    = 300, periods = 1, compare = "GreaterThanThreshold", threshold = 0, missing = "notBreaching"
    }
    no-machine = {
      text       = "No machine is healthy: nobody is answered, and no deal is made."
      namespace  = "AWS/ApplicationELB", metric = "HealthyHostCount", statistic = "Maximum"
      dimensions = { LoadBalancer = aws_lb.balancer.arn_suffix, TargetGroup = aws_lb_target_group.app.arn_suffix }
      period     = 60, periods = 5, compare = "LessThanThreshold", threshold = 1, missing = "breaching"
    }
    errors-of-machines = {
      text       = "Machines answer with 5xx: look for errors in the log."
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
      dimensions = { LoadBalancer = aws_lb.balancer.arn_suffix }
      period     = 300, periods = 2, compare = "GreaterThanThreshold", threshold = 5, missing = "notBreaching"
    }
    errors-of-balancer = {
      text       = "The load balancer answers with 5xx: machines do not answer it, or not in time."
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum"
      dimensions = { LoadBalancer = aws_lb.balancer.arn_suffix }
      period     = 300, periods = 2, compare = "GreaterThanThreshold", threshold = 5, missing = "notBreaching"
    }
    }, { for id in aws_db_instance.database[*].identifier : "database-space" => {
      text       = "The database has less than 2 GiB left: raise database_storage."
      namespace  = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum"
      dimensions = { DBInstanceIdentifier = id }
      period     = 300, periods = 3, compare = "LessThanThreshold", threshold = 2 * pow(1024, 3), missing = "breaching"
  } })
}

resource "aws_cloudwatch_log_metric_filter" "event" {
  for_each = local.events

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.log.name
  pattern        = each.value

  # No default value: silence has to be missing, not 0.
  metric_transformation {
    namespace = var.name
    name      = each.key
    value     = "1"
  }
}

#tfsec:ignore:aws-sns-enable-topic-encryption -- alarms cannot be published to a topic with Amazon's key, and hold no secrets
resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"

  tags = local.tags
}

resource "aws_sns_topic_subscription" "alarms" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.dimensions
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.compare
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  tags = local.tags
}

resource "aws_cloudwatch_dashboard" "overview" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type       = "alarm", x = 0, y = 0, width = 24, height = 3
        properties = { title = "Alarms", alarms = [for alarm in aws_cloudwatch_metric_alarm.alarm : alarm.arn] }
      }],
      [for i, name in keys(local.alarms) : {
        type = "metric", x = 8 * (i % 3), y = 3 + 6 * floor(i / 3), width = 8, height = 6
        properties = {
          title  = name
          region = var.region
          stat   = local.alarms[name].statistic
          period = local.alarms[name].period
          metrics = [concat(
            [local.alarms[name].namespace, local.alarms[name].metric],
            flatten([for dimension, value in local.alarms[name].dimensions : [dimension, value]]),
          )]
        }
      }],
    )
  })
}

resource "aws_budgets_budget" "month" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type          = notification.key
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = [var.alarm_email]
    }
  }

  tags = local.tags
}
