using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>Rows of a table by token id.</summary>
internal sealed class Embedding(Parameter table, WorkerPool pool)
{
    /// <summary>output [T x hidden] row t = table row tokens[t].</summary>
    public void Forward(int[] tokens, Matrix output) => pool.Ranges(tokens.Length, (from, to) => table.Gather(tokens, output, from, to));

    /// <summary>Adds the rows of the gradient to those of the tokens; a frozen table needs none.</summary>
    public void Backward(int[] tokens, Matrix gradient)
    {
        if (table.IsTrainable)
        {
            table.MaterialiseGradient();
            pool.Ranges(table.Columns, (from, to) => RowKernel.ScatterAdd(gradient, tokens, table.GradientMatrix, from, to));
        }
    }
}
