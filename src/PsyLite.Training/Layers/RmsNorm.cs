using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>Root-mean-square norm with a learned scale; keeps the inverse rms of each row for the backward pass.</summary>
internal sealed class RmsNorm
{
    /// <summary>The weight gradient is summed in this many row groups, whatever the number of threads, so that it is reproducible.</summary>
    private const int RowGroups = 16;

    private readonly Parameter _weight;
    private readonly Workspace _workspace;
    private readonly Matrix _inverseRms;
    private readonly Matrix _partial;

    public RmsNorm(Parameter weight, Workspace workspace)
    {
        _weight = weight;
        _workspace = workspace;
        _inverseRms = workspace.Allocate(1, workspace.MaxTokens);
        _partial = workspace.Allocate(RowGroups, weight.Columns);
    }

    public void Forward(Matrix x, Matrix y) => _workspace.Pool.Ranges(x.Rows, (from, to) =>
        RmsNormKernel.Forward(x, _weight.Value, _workspace.Config.RmsNormEpsilon, y, _inverseRms, from, to));

    /// <summary>The y of the last forward pass over the same x.</summary>
    public void Recompute(Matrix x, Matrix y) => _workspace.Pool.Ranges(x.Rows, (from, to) =>
        RmsNormKernel.Recompute(x, _weight.Value, _inverseRms, y, from, to));

    /// <summary>dx += the gradient through the norm; the gradient of a scale that trains is added to its parameter.</summary>
    public void Backward(Matrix x, Matrix dy, Matrix dx)
    {
        RowKernel.Clear(_partial, 0, RowGroups);
        _workspace.Pool.Tasks(RowGroups, (_, group) =>
        {
            var from = (int)((long)x.Rows * group / RowGroups);
            var to = (int)((long)x.Rows * (group + 1) / RowGroups);
            RmsNormKernel.Backward(x, _weight.Value, _inverseRms, dy, dx, _partial.Window(group, 1, 0, _partial.Columns), from, to);
        });
        if (!_weight.IsTrainable)
        {
            return;
        }

        _weight.MaterialiseGradient();
        for (var group = 0; group < RowGroups; group++)
        {
            RowKernel.Add(_partial.Window(group, 1, 0, _partial.Columns), _weight.GradientMatrix, 0, 1);
        }
    }
}
