# The app client of hubgate, as docs/install.md describes it. The user pool and its domain exist already.
# The state of Terraform contains the client secret; protect it likewise.
resource "aws_cognito_user_pool_client" "hubgate" {
  user_pool_id                         = var.user_pool_id
  name                                 = var.name
  generate_secret                      = true # cannot be changed later
  allowed_oauth_flows_user_pool_client = true # without it the next two lines have no effect
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "email", "profile"]
  supported_identity_providers         = ["COGNITO"]
  callback_urls                        = ["${var.site_url}/oauth2/callback"]
  logout_urls                          = ["${var.site_url}/oauth2/signed_out"]
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  explicit_auth_flows                  = ["ALLOW_USER_SRP_AUTH"] # rotation excludes ALLOW_REFRESH_TOKEN_AUTH

  # The access token's is the delay until a disabled user or a changed group is noticed. The refresh token's must be at
  # least session.lifetime.
  access_token_validity  = 15
  id_token_validity      = 15
  refresh_token_validity = 7

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  refresh_token_rotation {
    feature                    = "ENABLED"
    retry_grace_period_seconds = 60
  }
}

# Without a style, managed login shows an error page.
resource "aws_cognito_managed_login_branding" "hubgate" {
  user_pool_id                = var.user_pool_id
  client_id                   = aws_cognito_user_pool_client.hubgate.id
  use_cognito_provided_values = true
}
