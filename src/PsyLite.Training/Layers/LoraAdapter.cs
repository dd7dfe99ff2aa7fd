using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>
/// y += s B A dropout(x) (arXiv 2106.09685), A [r x in], B [out x r], s = alpha / r. Keeps d = s A dropout(x) [T x r]; the mask of the
/// dropout is made again where it is needed.
/// </summary>
/// <param name="stream">Number of this adapter in the decoder: its masks differ from the others'.</param>
internal sealed class LoraAdapter(Parameter a, Parameter b, LoraOptions lora, Workspace workspace, Matrix down, int stream)
{
    private readonly float _scale = lora.Scale;
    private int _firstRow;

    public void Forward(Matrix x, Matrix y, int firstRow)
    {
        Remember(x, firstRow);
        workspace.Gemm.Multiply(Product.TransposedRight(down.FirstRows(x.Rows), b.Value, y, accumulate: true));
    }

    public void Remember(Matrix x, int firstRow)
    {
        _firstRow = firstRow;
        workspace.Gemm.Multiply(Product.TransposedRight(Dropped(x), a.Value, down.FirstRows(x.Rows), alpha: _scale));
    }

    /// <summary>dx += the gradient through the adapter.</summary>
    public void BackwardInput(Matrix dy, Matrix dx)
    {
        BackwardDown(dy);
        var gradient = workspace.DownGradient.FirstRows(dy.Rows);
        if (Key is not { } key)
        {
            workspace.Gemm.Multiply(Product.Plain(gradient, a.Value, dx, accumulate: true));
            return;
        }

        var masked = workspace.DroppedRows(dx.Rows, dx.Columns);
        workspace.Gemm.Multiply(Product.Plain(gradient, a.Value, masked));
        workspace.Pool.Ranges(dx.Rows, (from, to) => DropoutKernel.AddMasked(masked, dx, key, lora.Dropout, _firstRow, from, to));
    }

    /// <summary>The gradient of A dropout(x), s dy B, into the workspace, where <see cref="BackwardWeight"/> finds it.</summary>
    public void BackwardDown(Matrix dy) =>
        workspace.Gemm.Multiply(Product.Plain(dy, b.Value, workspace.DownGradient.FirstRows(dy.Rows), alpha: _scale));

    public void BackwardWeight(Matrix x, Matrix dy)
    {
        workspace.Gemm.Multiply(Product.TransposedLeft(dy, down.FirstRows(dy.Rows), b.GradientMatrix, b.HasGradient));
        workspace.Gemm.Multiply(Product.TransposedLeft(workspace.DownGradient.FirstRows(dy.Rows), Dropped(x), a.GradientMatrix, a.HasGradient));
        (a.HasGradient, b.HasGradient) = (true, true);
    }

    /// <summary>Key of the mask of this forward pass; null when nothing is dropped.</summary>
    private ulong? Key => lora.Dropout > 0 && workspace.DropoutSeed is { } seed ? DropoutKernel.Mix(seed, (ulong)stream) : null;

    private Matrix Dropped(Matrix x)
    {
        if (Key is not { } key)
        {
            return x;
        }

        var dropped = workspace.DroppedRows(x.Rows, x.Columns);
        workspace.Pool.Ranges(x.Rows, (from, to) => DropoutKernel.Apply(x, dropped, key, lora.Dropout, _firstRow, from, to));
        return dropped;
    }
}
