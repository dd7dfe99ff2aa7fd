using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>y = x W^T with W [out x in], no bias; frozen weights have an adapter beside them.</summary>
internal sealed class Linear(Parameter weight, Workspace workspace, LoraAdapter? adapter)
{
    /// <summary>y [T x out] = x [T x in] W^T, or += when accumulating.</summary>
    /// <param name="firstRow">Place of x in a longer input that is worked on in parts.</param>
    public void Forward(Matrix x, Matrix y, bool accumulate = false, int firstRow = 0)
    {
        workspace.Gemm.Multiply(weight.Compact is { } compact ? Product.TransposedRight(x, compact, y, accumulate) : Product.TransposedRight(x, weight.Value, y, accumulate));
        adapter?.Forward(x, y, firstRow);
    }

    /// <summary>What the backward pass needs of a forward pass over x, when that is run again.</summary>
    public void Remember(Matrix x) => adapter?.Remember(x, firstRow: 0);

    /// <summary>dx [T x in] = dy [T x out] W, or += when accumulating.</summary>
    public void BackwardInput(Matrix dy, Matrix dx, bool accumulate = false)
    {
        workspace.Gemm.Multiply(weight.Compact is { } compact ? Product.Plain(dy, compact, dx, accumulate) : Product.Plain(dy, weight.Value, dx, accumulate));
        adapter?.BackwardInput(dy, dx);
    }

    /// <summary>In place of <see cref="BackwardInput"/> where nothing below x trains.</summary>
    public void BackwardNoInput(Matrix dy) => adapter?.BackwardDown(dy);

    /// <summary>Adds the gradient of what trains here: W, or the adapter. Comes after the layer's <see cref="BackwardInput"/>.</summary>
    public void BackwardWeight(Matrix x, Matrix dy)
    {
        if (weight.IsTrainable)
        {
            workspace.Gemm.Multiply(Product.TransposedLeft(dy, x, weight.GradientMatrix, weight.HasGradient));
            weight.HasGradient = true;
        }

        adapter?.BackwardWeight(x, dy);
    }
}
