# The truth that all machines share. The master's password is made, kept and changed
# each week by RDS, and is in no state. The program is not the master: the start-up
# script makes a role for it that owns this database, and nothing else.

locals {
  database_secret_arns = [for secret in flatten(aws_db_instance.database[*].master_user_secret) : secret.secret_arn]

  # Empty if the URL is in a parameter.
  database_url = join("", [for host in aws_db_instance.database[*].address :
    "postgres://gistdeal@${host}:5432/gistdeal?sslmode=verify-full&sslrootcert=/etc/gistdeal/rds.pem"
  ])
}

resource "aws_db_subnet_group" "database" {
  count = var.database_url_parameter == "" ? 1 : 0

  name        = "${var.name}-database"
  description = "Private subnets"
  subnet_ids  = aws_subnet.private[*].id

  tags = local.tags
}

# A destroy leaves a snapshot; its name must be new each time.
resource "terraform_data" "snapshot" {
  count = var.database_url_parameter == "" ? 1 : 0
}

# Log-ins by IAM and Performance Insights: there is one user, and nothing to
# look at closely in a handful of queries a second.
#tfsec:ignore:aws-rds-enable-iam-auth
#tfsec:ignore:aws-rds-enable-performance-insights
resource "aws_db_instance" "database" {
  count = var.database_url_parameter == "" ? 1 : 0

  identifier     = var.name
  engine         = "postgres"
  engine_version = "17" # the newest of its minor versions
  instance_class = var.database_instance_class

  db_name                     = "gistdeal"
  username                    = "postgres"
  manage_master_user_password = true

  storage_type          = "gp3"
  storage_encrypted     = true
  allocated_storage     = var.database_storage
  max_allocated_storage = 5 * var.database_storage

  db_subnet_group_name   = aws_db_subnet_group.database[0].name
  vpc_security_group_ids = [aws_security_group.database[0].id]
  publicly_accessible    = false
  multi_az               = var.database_standby

  backup_retention_period    = var.database_backup_days
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true
  deletion_protection        = false
  skip_final_snapshot        = false
  final_snapshot_identifier  = "${var.name}-final-${terraform_data.snapshot[0].id}"

  tags = local.tags

  # A standby and a last snapshot take their time.
  timeouts {
    create = "60m"
    update = "80m"
    delete = "60m"
  }
}
