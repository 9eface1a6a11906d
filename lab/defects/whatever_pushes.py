"""What turns red with whatever keeps images from being taken and given again."""

CHECKS = frozenset(
    {
        "images.catalogue-pages",
        "images.docker-manifest-list-unchanged",
        "images.empty-blob",
        "images.head-agrees-with-get",
        "images.layer-sizes",
        "images.long-names",
        "images.mount-across-repositories",
        "images.oci-index-unchanged",
        "images.pull-resumes",
        "images.range-passed-on",
        "images.referrers-listed",
        "images.tag-pages",
        "images.unchanged-means-unchanged",
        "images.upload-forms",
        "registry.busybox-push-pull",
        "registry.concurrent-pushes",
        "registry.delete-removes",
        "registry.kubelet-pulls-with-pull-secret",
        "registry.repository-appears-in-harbor",
    }
)
"""Ids: each of these pushes an image, or a part of one, and has it come back."""

WITH_RIGHTS_AND_PARTS = CHECKS | {
    "access.anonymous-may-pull-public-but-not-push",
    "access.private-project-hidden-from-anonymous",
    "access.robot-account-pushes-and-pulls",
    "images.chunk-out-of-order",
    "images.mount-needs-pull-right",
    "registry.corrupted-blob-refused",
    "registry.quota-follows-pushes",
}
"""Those, and what is about who may push, about quotas, and about pushes that are no whole image."""
