# hubgate on AWS: Cognito app client, ElastiCache, ECS on Fargate, and an Application Load Balancer, in a VPC of its
# own. docs/aws.md leads through it.
terraform {
  required_version = ">= 1.11" # write-only arguments
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.62"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { Application = var.name }
  }
}
