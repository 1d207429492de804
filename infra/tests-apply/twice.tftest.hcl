# Applied against the offline provider, without mocks:
# terraform test -test-directory=tests-apply. With the real one this would make
# everything, and take it away again.

provider "aws" {
  region = "us-east-1"
}

run "first" {
  command = apply

  assert {
    condition     = output.database != "" && output.machines == "gistdeal"
    error_message = "An apply tells where things are."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.machine.user_data), aws_db_instance.database[0].address)
    error_message = "Machines are told the address of the database that was made."
  }
}

run "the_number_of_machines_is_the_policy_s" {
  command = plan

  variables {
    machines = { min = 1, desired = 3, max = 3 }
  }

  assert {
    condition     = aws_autoscaling_group.machines.desired_capacity == 2
    error_message = "An apply does not undo what the load has asked for."
  }
}
