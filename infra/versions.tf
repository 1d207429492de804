# 1.11 is the first that has write-only arguments: secrets are in no state.
# The provider is the caller's, as in a module: its account and its region.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }

    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }
}

# tflint-ignore: terraform_unused_declarations # its condition is its use
data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.region == var.region
      error_message = "region must be the region of the provider, ${self.region}: everything is made there."
    }
  }
}

locals {
  tags = merge(var.tags, { Application = var.name })
}
