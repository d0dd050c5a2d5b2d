"""Deploys a template to moto's CloudFormation and prints what came of it, as JSON. In: {"template", "parameters", "bucket"} as JSON.

"bucket" has the Properties of the recordings' bucket and the statements of its policy, resolved. moto's CloudFormation sets only a bucket's
encryption and tags, so the rest is set here by the S3 API, whose parameters botocore checks against AWS's own model.
"""

import io
import json
import os
import sys
import zipfile
from urllib.parse import unquote

import boto3
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="eu-central-1")


def lifecycle(rule):
    """From CloudFormation's form to that of the API."""
    both = {key: rule[key] for key in ("Status", "AbortIncompleteMultipartUpload") if key in rule}
    tags, prefix = rule.get("TagFilters", []), rule.get("Prefix", "")
    both["ID"] = rule["Id"]
    both["Filter"] = {"And": {"Prefix": prefix, "Tags": tags}} if tags else {"Prefix": prefix}
    if "ExpirationInDays" in rule:
        both["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "ExpiredObjectDeleteMarker" in rule:
        both["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if "NoncurrentVersionExpiration" in rule:
        both["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "Transitions" in rule:
        both["Transitions"] = [
            {"Days": one["TransitionInDays"], "StorageClass": one["StorageClass"]} for one in rule["Transitions"]
        ]
    return both


def set_bucket(s3, name, properties, policy):
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
    )
    rules = [lifecycle(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def decoded(policy):
    """moto gives some policies as text and others decoded."""
    return json.loads(unquote(policy)) if isinstance(policy, str) else policy


def role(iam, name):
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        "trust": decoded(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]),
        "policies": [decoded(iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]) for one in names],
    }


def main():
    order = json.load(sys.stdin)
    s3, iam, kms = boto3.client("s3"), boto3.client("iam"), boto3.client("kms")
    stacks, events, logs = boto3.client("cloudformation"), boto3.client("events"), boto3.client("logs")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.js", "")
    given = order["parameters"]
    s3.create_bucket(
        Bucket=given["CodeBucket"], CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    for function in order["functions"]:
        s3.put_object(Bucket=given["CodeBucket"], Key=f"{given['CodePrefix']}{function}.zip", Body=code.getvalue())
    stacks.create_stack(
        StackName="sightline",
        TemplateBody=json.dumps(order["template"]),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    summaries = stacks.list_stack_resources(StackName="sightline")["StackResourceSummaries"]
    names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in summaries}
    bucket = names["Bucket"]
    set_bucket(s3, bucket, order["bucket"]["properties"], order["bucket"]["policy"])
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    rule = events.describe_rule(Name="sightline-connect-events")
    json.dump(
        {
            "status": stacks.describe_stacks(StackName="sightline")["Stacks"][0]["StackStatus"],
            "names": names,
            "types": sorted({one["ResourceType"] for one in summaries}),
            "bucket": {
                "encryption": encryption["Rules"],
                "versioning": s3.get_bucket_versioning(Bucket=bucket)["Status"],
                "public": s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
                "lifecycle": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
                "policy": decoded(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
            },
            "keyPolicy": decoded(kms.get_key_policy(KeyId=names["Key"], PolicyName="default")["Policy"]),
            "roles": {
                one["LogicalResourceId"]: role(iam, one["PhysicalResourceId"])
                for one in summaries
                if one["ResourceType"] == "AWS::IAM::Role"
            },
            "connectRule": decoded(rule["EventPattern"]),
            "targets": [
                one["Arn"]
                for one in events.list_targets_by_rule(
                    Rule="sightline-sightline-events", EventBusName="sightline-screen-recordings"
                )["Targets"]
            ],
            "logPolicy": decoded(logs.describe_resource_policies()["resourcePolicies"][0]["policyDocument"]),
            "function": boto3.client("lambda").get_function(FunctionName="sightline-broker")["Configuration"],
        },
        sys.stdout,
        default=str,
    )


with mock_aws():
    main()
