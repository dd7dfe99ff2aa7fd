using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>y = x W^T with W [out x in], no bias.</summary>
internal sealed class Linear(Parameter weight, Gemm gemm)
{
    public Parameter Weight => weight;

    /// <summary>y [T x out] = x [T x in] W^T, or += when accumulating.</summary>
    public void Forward(Matrix x, Matrix y, bool accumulate = false) => gemm.Multiply(Product.TransposedRight(x, weight.Value, y, accumulate));

    /// <summary>dx [T x in] = dy [T x out] W, or += when accumulating.</summary>
    public void BackwardInput(Matrix dy, Matrix dx, bool accumulate = false) => gemm.Multiply(Product.Plain(dy, weight.Value, dx, accumulate));

    /// <summary>dW += dy^T x.</summary>
    public void BackwardWeight(Matrix x, Matrix dy)
    {
        gemm.Multiply(Product.TransposedLeft(dy, x, weight.GradientMatrix, weight.HasGradient));
        weight.HasGradient = true;
    }
}
