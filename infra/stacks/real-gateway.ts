import { CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { GATEWAY_URL_FORM, isGatewayUrl, shownUrl } from '../../functions/billing/environment.ts'
import { ConfigurationError } from '../constructs/index.ts'

/**
 * An external payment gateway that moves money. The stack has the secret for its API key. The secret is created with a
 * placeholder, which billing does not use as a key; the operator puts the key there, and no deployment changes it.
 */
export class RealGateway extends Construct {
  /** The environment variables, and the permission, of a function that charges at this gateway. */
  readonly environment: Record<string, string>
  readonly permission: PolicyStatement

  /** @throws ConfigurationError if `url` is not {@link GATEWAY_URL_FORM} */
  constructor(scope: Construct, id: string, { url }: { readonly url: string }) {
    super(scope, id)
    if (!isGatewayUrl(url)) {
      throw new ConfigurationError(this, [`the gateway's URL is ${shownUrl(url)}; give ${GATEWAY_URL_FORM}`])
    }

    const apiKey = new Secret(this, 'ApiKey', {
      description: "The payment gateway's API key, as plain text",
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ replaceAllOfThisBy: "the payment gateway's API key, as plain text" }),
        generateStringKey: 'placeholder',
      },
      removalPolicy: RemovalPolicy.RETAIN,
    })
    Validations.of(apiKey).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The gateway issues and rotates the key; the operator puts it here, and billing reads it again when refused',
    })

    this.environment = { GATEWAY_URL: url, GATEWAY_SECRET: apiKey.secretArn }
    const actions = ['secretsmanager:GetSecretValue']
    this.permission = new PolicyStatement({ actions, resources: [apiKey.secretArn] })
    new CfnOutput(Stack.of(this), 'GatewaySecretName', { value: apiKey.secretName })
  }
}
