mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "database" {
  command = plan

  assert {
    condition     = length(aws_db_instance.database) == 1 && aws_db_instance.database[0].engine == "postgres" && can(regex("^[0-9]+$", aws_db_instance.database[0].engine_version))
    error_message = "All machines share one PostgreSQL, of a major version."
  }

  assert {
    condition     = aws_db_instance.database[0].instance_class == "db.t4g.micro" && aws_db_instance.database[0].allocated_storage == 20
    error_message = "The database is small by default."
  }

  assert {
    condition     = aws_db_instance.database[0].storage_encrypted
    error_message = "The database is encrypted."
  }

  assert {
    condition     = aws_db_instance.database[0].backup_retention_period == 7 && !aws_db_instance.database[0].skip_final_snapshot
    error_message = "The database is backed up for a week, and once more when it goes."
  }

  assert {
    condition     = aws_db_instance.database[0].manage_master_user_password == true && aws_db_instance.database[0].password == null
    error_message = "The master's password is RDS's own, in no state."
  }

  assert {
    condition     = aws_db_instance.database[0].username == "postgres" && aws_db_instance.database[0].db_name == "gistdeal" && strcontains(base64decode(aws_launch_template.machine.user_data), "\nGISTDEAL_DATABASE_URL=$database_url\n") && strcontains(base64decode(aws_launch_template.machine.user_data), "\ndatabase_url='postgres://gistdeal@")
    error_message = "The program uses the database of the URL, but not as its master."
  }

  assert {
    condition     = !aws_db_instance.database[0].publicly_accessible
    error_message = "The database has no public address."
  }

  assert {
    condition     = aws_db_instance.database[0].db_subnet_group_name == aws_db_subnet_group.database[0].name && aws_db_subnet_group.database[0].subnet_ids == toset(aws_subnet.private[*].id)
    error_message = "The database is in the private subnets."
  }

  assert {
    condition     = aws_db_instance.database[0].max_allocated_storage > aws_db_instance.database[0].allocated_storage
    error_message = "The database grows before it is full."
  }

  assert {
    condition     = !aws_db_instance.database[0].deletion_protection
    error_message = "One destroy takes the database away."
  }
}

run "asked_otherwise" {
  command = plan

  variables {
    database_instance_class = "db.t4g.medium"
    database_storage        = 50
    database_backup_days    = 14
    database_standby        = true
  }

  assert {
    condition     = aws_db_instance.database[0].instance_class == "db.t4g.medium" && aws_db_instance.database[0].allocated_storage == 50 && aws_db_instance.database[0].backup_retention_period == 14 && aws_db_instance.database[0].multi_az
    error_message = "Size, backups and standby are those that are asked for."
  }
}

run "a_database_that_exists" {
  command = plan

  variables {
    database_url_parameter = "/crm/database"
    database_cidr          = "192.0.2.10/32"
  }

  assert {
    condition     = length(aws_db_instance.database) == 0 && length(aws_db_subnet_group.database) == 0 && length(aws_security_group.database) == 0
    error_message = "No database is made if one exists."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.machine.user_data), "/crm/database") && !strcontains(base64decode(aws_launch_template.machine.user_data), "postgres://gistdeal@")
    error_message = "Machines are told the parameter with their database's URL."
  }
}
