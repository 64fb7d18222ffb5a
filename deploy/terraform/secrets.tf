# The secret with your own values, which aws secretsmanager create-secret wrote before. Terraform reads the password of
# Redis from it without storing it in its state.
data "aws_secretsmanager_secret" "operator" {
  name = var.secret_name
}

locals {
  operator = jsondecode(ephemeral.aws_secretsmanager_secret_version.operator.secret_string)
}

ephemeral "aws_secretsmanager_secret_version" "operator" {
  secret_id = data.aws_secretsmanager_secret.operator.id
}

# Cognito creates the client secret; tasks read it from here.
resource "aws_secretsmanager_secret" "cognito" {
  name_prefix = "${var.name}-cognito-"
  description = "Client secret of hubgate's app client"
}

resource "aws_secretsmanager_secret_version" "cognito" {
  secret_id     = aws_secretsmanager_secret.cognito.id
  secret_string = aws_cognito_user_pool_client.hubgate.client_secret
}
