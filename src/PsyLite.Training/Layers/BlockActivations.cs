using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>What the backward pass of a block needs of its forward pass. Blocks that recompute it share one.</summary>
internal sealed class BlockActivations
{
    private readonly Matrix[] _downs;

    /// <param name="rank">Rank of the adapters; 0 without.</param>
    public BlockActivations(Workspace workspace, int rank)
    {
        var (c, rows) = (workspace.Config, workspace.MaxTokens);
        Qkv = workspace.Allocate(rows, c.QkvSize);
        Attended = workspace.Allocate(rows, c.HiddenSize);
        Middle = workspace.Allocate(rows, c.HiddenSize);
        Gate = workspace.Allocate(rows, c.IntermediateSize);
        Up = workspace.Allocate(rows, c.IntermediateSize);
        LogSumExp = workspace.Allocate(c.Heads, rows);
        _downs = rank == 0 ? [] : [.. Enumerable.Range(0, 5).Select(_ => workspace.Allocate(rows, rank))];
    }

    /// <summary>[T x qkv], rotated.</summary>
    public Matrix Qkv { get; }

    /// <summary>[T x hidden]</summary>
    public Matrix Attended { get; }

    /// <summary>[T x hidden] the residual stream between attention and feed-forward.</summary>
    public Matrix Middle { get; }

    /// <summary>[T x intermediate]</summary>
    public Matrix Gate { get; }

    public Matrix Up { get; }

    /// <summary>[heads x T]</summary>
    public Matrix LogSumExp { get; }

    /// <summary>[T x r] of the adapter of the n-th linear layer; null without adapters.</summary>
    public Matrix? Down(int layer) => _downs.Length == 0 ? null : _downs[layer];
}
