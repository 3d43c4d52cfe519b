"""A runner that takes other batches and other numbers of loader workers than the config's."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from .parcels import Parcels

OF_WORKERS = ("persistent_workers", "prefetch_factor")
"""Arguments of a data loader that it takes only with workers."""


class ScalingRunner(Runner):
    """mmengine's runner; its scaling of the learning rate also counts accumulated batches.

    ``num_workers=0`` is enough to have a config's data read in this process, where torch also asks for what belongs to
    workers to be taken away. Batches from workers come as :class:`.Parcels`.
    """

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict[str, Any], seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """As upstream; the seeds of samples are the sampler's, so that nothing follows from the loader's draws."""
        if isinstance(dataloader, dict) and not dataloader.get("num_workers"):
            dataloader = {key: value for key, value in dataloader.items() if key not in OF_WORKERS}
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if loader.num_workers:
            loader.collate_fn = Parcels(loader.collate_fn)
        return loader

    def train(self) -> nn.Module:
        """As upstream; the loader's workers end with the training, which else live on with what they keep."""
        try:
            return super().train()
        finally:
            if isinstance(self._train_loop, BaseLoop):
                end_workers(self._train_loop.dataloader)

    def scale_lr(self, optim_wrapper: OptimWrapper, auto_scale_lr: dict[str, Any] | None = None) -> None:
        """Multiply every learning rate by (samples of a step) / ``base_batch_size`` (Goyal et al. 2017, section 2.1).

        A step sees the batches of all processes, ``accumulative_counts`` of them each. mmengine 0.10.7 leaves the
        last factor out.

        Args:
            optim_wrapper: Changed in place.
            auto_scale_lr: ``enable`` and ``base_batch_size``.
        """
        if not (auto_scale_lr or {}).get("enable"):
            return
        assert auto_scale_lr is not None
        loader = self._train_dataloader
        batch = loader["batch_size"] if isinstance(loader, dict) else loader.batch_size
        accumulated, base = optim_wrapper._accumulative_counts, auto_scale_lr["base_batch_size"]
        samples = batch * self.world_size * accumulated
        before = optim_wrapper.get_lr()["lr"][0]
        # Of the wrapper, not of the optimizer as upstream: with the rate that is logged where groups have their own.
        for group in optim_wrapper.param_groups:
            group["lr"] *= samples / base
        told = f"{batch} in a batch x {self.world_size} processes x {accumulated} accumulated"
        # A warning, so that it is told at every level of logging.
        self.logger.warning(
            f"learning rate {before:g}, which is for {base} samples a step, becomes {before * samples / base:g} "
            f"for {samples} ({told})"
        )


def end_workers(loader: Any) -> None:
    """End the workers of a data loader that live on between epochs; it starts others when it is asked again.

    Left to the garbage collector they keep their memory until it comes, and processes that are forked meanwhile wait
    for them at their own end.
    """
    iterator = getattr(loader, "_iterator", None)  # where torch has those of persistent_workers
    if iterator is not None:
        iterator._shutdown_workers()
        loader._iterator = None
